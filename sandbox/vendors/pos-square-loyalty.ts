import { z } from 'zod';
import type { World, WorldLoyalty } from '#sandbox/world/types.ts';
import { encodeCursor, pageAfter, sortKeyed } from './keyset.ts';
import type { Keyed } from './keyset.ts';
import { storesById } from './pos-square-catalog.ts';
import { squareProfiles } from './pos-square-customers.ts';
import { readSquareBody, squareId, squarePosition, squareRefusal } from './pos-square-wire.ts';
import type { SquareCall } from './pos-square-wire.ts';
import type { Route } from './route-table.ts';
import { groupBy, momentOf, structureOf } from './world-views.ts';

/** The retailer's one loyalty program. */
const SQUARE_PROGRAM_ID = 'LOYALTYPROGRAMMAIN';

/** Lifetime points from which a tier is held; Square itself has no tier field: the retailer's configuration names them. */
export const SQUARE_TIER_POINTS: Readonly<Record<WorldLoyalty['tier'], number>> = {
  BRONZE: 1,
  SILVER: 1001,
  GOLD: 3001,
};

const TIERS = ['BRONZE', 'SILVER', 'GOLD'] as const;
const DEFAULT_PAGE = 30;
const searchBody = z.strictObject({
  query: z
    .strictObject({
      mappings: z
        .array(z.strictObject({ id: z.string().optional(), phone_number: z.string().max(40) }))
        .max(30)
        .nullish(),
      customer_ids: z.array(squareId).max(30).nullish(),
    })
    .optional(),
  limit: z.int().min(1).max(200).optional(),
  cursor: z.string().optional(),
});

/** Loyalty accounts and the program of the Square fake. */
export const squareLoyaltyRoutes: readonly Route<SquareCall>[] = [
  { method: 'POST', path: '/v2/loyalty/accounts/search', handle: searchAccounts },
  {
    method: 'GET',
    path: '/v2/loyalty/accounts/{account_id}',
    handle: (call, { account_id }) => oneAccount(call, account_id),
  },
  {
    method: 'GET',
    path: '/v2/loyalty/programs/{program_id}',
    handle: (call, { program_id }) => program(call, program_id),
  },
];

async function searchAccounts(call: SquareCall): Promise<Response> {
  const { query, limit, cursor } = await readSquareBody(call, searchBody);
  if (query?.mappings?.length && query.customer_ids?.length) {
    throw squareRefusal(400, 'CONFLICTING_PARAMETERS', 'Give mappings or customer_ids, not both', 'query');
  }
  const rows = accountsFor(call.world, query);
  const { values, next } = pageAfter(rows, squarePosition(cursor, query ?? {}), limit ?? DEFAULT_PAGE);
  return Response.json({
    ...(values.length === 0 ? {} : { loyalty_accounts: values.map((account) => toAccount(call.world, account)) }),
    ...(next === null ? {} : { cursor: encodeCursor(next, query ?? {}) }),
  });
}

function accountsFor(world: World, query: z.output<typeof searchBody>['query']): readonly Keyed<WorldLoyalty>[] {
  const keyed = (accounts: readonly WorldLoyalty[]) =>
    sortKeyed(accounts.map((value) => ({ at: 0, id: value.accountId, value })));
  if (query?.customer_ids?.length) {
    const byCustomer = structureOf(world, 'square.loyaltyByCustomer', () =>
      groupBy(world.loyalty, ({ posCustomerId }) => posCustomerId),
    );
    return keyed([...new Set(query.customer_ids)].flatMap((id) => byCustomer.get(id) ?? []));
  }
  const phones = query?.mappings?.length ? new Set(query.mappings.map((mapping) => mapping.phone_number)) : null;
  if (phones !== null) return keyed(world.loyalty.filter(({ number }) => phones.has(number)));
  return momentOf(world, 'square.loyalty', () => keyed(world.loyalty));
}

function oneAccount({ world }: SquareCall, id: string | undefined): Response {
  const account = world.loyalty.find(({ accountId }) => accountId === id);
  if (account === undefined) throw squareRefusal(404, 'NOT_FOUND', 'No such loyalty account', 'account_id');
  return Response.json({ loyalty_account: toAccount(world, account) });
}

function toAccount(world: World, account: WorldLoyalty): object {
  const profile = squareProfiles(world).get(account.posCustomerId);
  const createdAt = profile?.createdAt ?? world.builtAt;
  const mapping = account.number.startsWith('+')
    ? { mapping: { id: `MAP-${account.accountId}`.slice(0, 36), created_at: createdAt, phone_number: account.number } }
    : {};
  return {
    id: account.accountId,
    program_id: SQUARE_PROGRAM_ID,
    balance: account.points,
    lifetime_points: lifetimePoints(account),
    customer_id: account.posCustomerId,
    enrolled_at: createdAt,
    created_at: createdAt,
    updated_at: profile?.updatedAt ?? world.builtAt,
    ...mapping,
  };
}

/** At least the balance, but inside the band of the tier held, so that the tier can be read from it. */
function lifetimePoints({ tier, points }: WorldLoyalty): number {
  const above = TIERS[TIERS.indexOf(tier) + 1];
  const highest = above === undefined ? Infinity : SQUARE_TIER_POINTS[above] - 1;
  return Math.min(Math.max(points, SQUARE_TIER_POINTS[tier]), highest);
}

function program({ world }: SquareCall, id: string | undefined): Response {
  if (id !== 'main' && id !== SQUARE_PROGRAM_ID) throw squareRefusal(404, 'NOT_FOUND', 'No such program', 'program_id');
  return Response.json({
    program: {
      id: SQUARE_PROGRAM_ID,
      status: 'ACTIVE',
      reward_tiers: TIERS.map((name) => ({
        id: `TIER-${name}`,
        points: SQUARE_TIER_POINTS[name],
        name,
        created_at: '2020-01-06T09:00:00Z',
        pricing_rule_reference: { object_id: `RULE-${name}`, catalog_version: 1 },
      })),
      terminology: { one: 'Point', other: 'Points' },
      location_ids: [...storesById(world).keys()],
      created_at: '2020-01-06T09:00:00Z',
      updated_at: '2020-01-06T09:00:00Z',
      accrual_rules: [
        {
          accrual_type: 'SPEND',
          points: 1,
          spend_data: { amount_money: { amount: 100, currency: 'GBP' }, tax_mode: 'BEFORE_TAX' },
        },
      ],
    },
  });
}
