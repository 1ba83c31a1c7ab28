import { causeOf } from './report.ts';
import type { Representation } from './representation.ts';
import { failedAnswer, type RowAnswer } from './row-answer.ts';

/** Where the answer for one entity will be. */
export interface EntitySlot {
  /** Of the whole call, in the order of its representations; shared by all its slots. Never rejects. */
  readonly answers: Promise<readonly RowAnswer[]>;
  readonly index: number;
}

/**
 * The entities one operation asks of one subgraph with one selection and the same variables: each is asked for once, and
 * those that become known in one tick travel in one call.
 */
export interface EntityBatch {
  /** `key` is the representation's text. */
  readonly load: (key: string, representation: Representation) => EntitySlot;
}

/** `call` answers one entity for each representation, in order. */
export function createEntityBatch(
  call: (representations: readonly Representation[]) => Promise<readonly RowAnswer[]>,
): EntityBatch {
  const slots = new Map<string, EntitySlot>();
  let open: { readonly representations: Representation[]; readonly answers: EntitySlot['answers'] } | null = null;

  const send = async (representations: readonly Representation[]): Promise<readonly RowAnswer[]> => {
    await settledTick();
    open = null;
    try {
      return await call(representations);
    } catch {
      // An answer that breaks our own reading (endless nesting, for one) costs its fields, not the request.
      return representations.map(() => failedAnswer([causeOf('SUBGRAPH_UNAVAILABLE')]));
    }
  };

  const load: EntityBatch['load'] = (key, representation) => {
    const known = slots.get(key);
    if (known !== undefined) return known;
    if (open === null) {
      const representations: Representation[] = [];
      open = { representations, answers: send(representations) };
    }
    const slot = { answers: open.answers, index: open.representations.push(representation) - 1 };
    slots.set(key, slot);
    return slot;
  };
  return { load };
}

/** After everything that can go on without waiting for I/O has gone on: branches that end in one tick meet here. */
function settledTick(): Promise<void> {
  return new Promise((resolve) => {
    queueMicrotask(() => process.nextTick(resolve));
  });
}
