import { createHash } from 'node:crypto';

import type { ConsentTransaction } from './tables.ts';

/** A caller's key for one intent; the key itself is stored as a hash only, because callers put anything into it. */
export interface IdempotencyClaim {
  /** Whose keys these are: two principals never meet. */
  readonly principal: string;
  readonly key: string;
  /** The input in a fixed form; another input under the same key is a conflict. */
  readonly input: Readonly<Record<string, string | null>>;
  /** ISO 8601. */
  readonly at: string;
}

export type IdempotencyOutcome =
  | { readonly kind: 'claimed'; readonly store: (answer: unknown) => Promise<void> }
  | { readonly kind: 'replay'; readonly answer: unknown }
  | { readonly kind: 'conflict' };

/**
 * Claims the key inside the caller's transaction: the answer is stored with the events or not at all. A second caller
 * with the same key waits for the first one's commit.
 */
export async function claimKey(trx: ConsentTransaction, claim: IdempotencyClaim): Promise<IdempotencyOutcome> {
  const { principal, at } = claim;
  const key_hash = sha256(claim.key);
  const fingerprint = sha256(JSON.stringify(Object.entries(claim.input).toSorted(([a], [b]) => (a < b ? -1 : 1))));
  const claimed = await trx
    .insertInto('consent_idempotency')
    .values({ principal, key_hash, fingerprint, answer: 'null', recorded_at: at })
    .onConflict((conflict) => conflict.columns(['principal', 'key_hash']).doNothing())
    .returning('key_hash')
    .executeTakeFirst();
  const row = { principal, key_hash };
  if (claimed !== undefined) return { kind: 'claimed', store: async (answer) => storeAnswer(trx, row, answer) };
  const stored = await trx
    .selectFrom('consent_idempotency')
    .select(['fingerprint', 'answer'])
    .where('principal', '=', principal)
    .where('key_hash', '=', key_hash)
    .executeTakeFirstOrThrow();
  if (stored.fingerprint !== fingerprint) return { kind: 'conflict' };
  return { kind: 'replay', answer: JSON.parse(stored.answer) as unknown };
}

async function storeAnswer(
  trx: ConsentTransaction,
  row: { readonly principal: string; readonly key_hash: string },
  answer: unknown,
): Promise<void> {
  await trx
    .updateTable('consent_idempotency')
    .set({ answer: JSON.stringify(answer) })
    .where('principal', '=', row.principal)
    .where('key_hash', '=', row.key_hash)
    .execute();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
