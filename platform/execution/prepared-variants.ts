import { LRUCache } from 'lru-cache';

import type { PreparedOperation } from './prepared-document.ts';

/** Measured: a field as it is prepared, with its share of the maps around it. */
const FIELD_BYTES = 360;
/** Measured: a variant without fields. */
const VARIANT_BYTES = 2_000;
/** Some 700 operations of 30 fields; for each subgraph of the process. */
const MOST_BYTES = 8 * 2 ** 20;

/** Told when fields of an operation were prepared: they are, when the first row of their type comes. */
export type OnPrepared = (fieldCount: number) => void;

/** The ways the conditions of one document came out, as far as they are remembered. */
export interface Variants {
  /** `key` tells the conditions' values. */
  readonly get: (key: string, prepare: (onPrepared: OnPrepared) => PreparedOperation) => PreparedOperation;
}

interface Kept {
  readonly operation: PreparedOperation;
  readonly entry: Entry;
}

/** Weak: documents are forgotten by whoever keeps them, and their variants with them. */
interface Entry {
  readonly owner: WeakRef<Map<string, Kept>>;
  readonly key: string;
}

/**
 * Where the variants of all documents of a schema are remembered: a document of n conditions has 2 ** n of them, its
 * fragments multiply fields, and callers choose both. Bounded by the memory they take, the least recently used forgotten
 * first.
 * @returns called once a document
 */
export function createVariantStore(mostBytes: number = MOST_BYTES): () => Variants {
  const recent = new LRUCache<Entry, number>({
    maxSize: mostBytes,
    sizeCalculation: (bytes) => bytes,
    // It is called as well for a variant that grew beyond all bounds.
    dispose: (_bytes, { owner, key }) => owner.deref()?.delete(key),
    noDisposeOnSet: true,
  });
  return () => {
    const variants = new Map<string, Kept>();
    const owner = new WeakRef(variants);
    return {
      get: (key, prepare) => {
        const known = variants.get(key);
        if (known !== undefined) {
          recent.get(known.entry);
          return known.operation;
        }
        const entry: Entry = { owner, key };
        const operation = prepare((fieldCount) => {
          const bytes = recent.peek(entry);
          if (bytes !== undefined) recent.set(entry, bytes + fieldCount * FIELD_BYTES);
        });
        recent.set(entry, VARIANT_BYTES + key.length);
        if (recent.has(entry)) variants.set(key, { operation, entry });
        return operation;
      },
    };
  };
}
