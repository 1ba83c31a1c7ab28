import DataLoader from 'dataloader';

import type { Slot } from '#schema/model/sources.ts';

export interface BatchLoaderOptions<K> {
  /** Keys of one call. @default 200 */
  readonly maxKeys?: number;
  /** Two keys with the same text are the same key. @default the key itself */
  readonly cacheKey?: (key: K) => string;
}

/**
 * A DataLoader over a batch read: keys of one tick are read together, a failed key rejects alone, an unknown key is null.
 * Make one per request. @throws {TypeError} to every key when the answers do not match the keys in number.
 */
export function batchLoader<K, V>(
  read: (keys: readonly K[]) => Promise<readonly Slot<V>[]>,
  options: BatchLoaderOptions<K> = {},
): DataLoader<K, V | null, string> {
  const { maxKeys = 200, cacheKey = String } = options;
  return new DataLoader<K, V | null, string>(async (keys) => read(keys), {
    maxBatchSize: maxKeys,
    cacheKeyFn: cacheKey,
  });
}

/**
 * A `__resolveReference` that loads through a DataLoader of the request: all references of a fetch cost one batch read.
 * Only the key is taken from the caller's representation; a missing or absurd key is null, as an unknown one is.
 * @example Customer: { __resolveReference: referenceResolver('id', (context) => context.loaders.customers) }
 */
export function referenceResolver<Context, V>(
  keyField: string,
  loaderOf: (context: Context) => { readonly load: (key: string) => Promise<V | null> },
): (reference: object, context: Context) => Promise<V | null> {
  return async (reference, context) => {
    const key: unknown = Reflect.get(reference, keyField);
    if (typeof key !== 'string' || key === '' || key.length > 200) return null;
    return loaderOf(context).load(key);
  };
}
