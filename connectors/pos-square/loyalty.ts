import { z } from 'zod';

import type { BatchReadDefinition } from '#connectors/kit/definition.ts';
import type { LoyaltyDraft } from '#connectors/kit/draft.ts';
import { readRows, rows } from '#connectors/kit/rows.ts';
import { instantOf, textOf } from '#connectors/kit/text.ts';

import type { SquareSettings } from './settings.ts';
import { text } from './wire.ts';

const account = z.object({
  id: z.string().min(1),
  customer_id: z.string().min(1),
  balance: z.number().int().nullish(),
  lifetime_points: z.number().int().nullish(),
  updated_at: text,
  mapping: z.object({ phone_number: text }).nullish(),
});
type Account = z.infer<typeof account>;

const accountsAnswer = z.object({ loyalty_accounts: rows.nullish(), cursor: text });
type AccountsAnswer = z.infer<typeof accountsAnswer>;

/**
 * The highest tier whose points were ever collected; null: none, or the retailer configured none. Square's accounts have
 * points and no tiers, and its reward tiers are prices of rewards: which points make a tier only the retailer knows.
 */
function tierOf(row: Account, { loyaltyTiers }: SquareSettings): string | null {
  const collected = row.lifetime_points ?? null;
  if (collected === null) return null;
  return loyaltyTiers.findLast(({ points }) => points <= collected)?.name ?? null;
}

function decodeAccount(row: Account, settings: SquareSettings): LoyaltyDraft {
  const changedAt = instantOf(row.updated_at);
  return {
    externalId: row.id,
    customerExternalId: row.customer_id,
    number: textOf(row.mapping?.phone_number),
    tier: tierOf(row, settings),
    points: row.balance ?? 0,
    stamp: { asOf: changedAt, reference: row.id, sequence: changedAt },
  };
}

/** Loyalty accounts by customer id: at most 30 customers a call. */
export const loyaltyByCustomer: BatchReadDefinition<string, readonly LoyaltyDraft[], SquareSettings, AccountsAnswer> = {
  max: 30,
  keyOf: (id) => id,
  request: (ids) => ({
    operation: 'SearchLoyaltyAccounts',
    method: 'POST',
    path: '/v2/loyalty/accounts/search',
    json: { query: { customer_ids: ids }, limit: 200 },
  }),
  page: accountsAnswer,
  more: (body, previous) => {
    const cursor = textOf(body.cursor);
    return cursor === null ? null : { request: { ...previous, json: { ...(previous.json as object), cursor } } };
  },
  decode: (bodies, _ids, { settings }) => {
    const { values, rejected } = readRows(
      account,
      bodies.flatMap((body) => body.loyalty_accounts ?? []),
      (row) => decodeAccount(row, settings),
    );
    return { values: Map.groupBy(values, (value) => value.customerExternalId), rejected };
  },
  absent: [],
  freshnessMs: null,
};
