import { z } from 'zod';
import type { World, WorldConsent, WorldProfile } from '#sandbox/world/types.ts';
import { encodeCursor, pageAfter, sortKeyed } from './keyset.ts';
import type { Direction, Keyed } from './keyset.ts';
import {
  isWithin,
  readSquareBody,
  squareId,
  squarePosition,
  squareRefusal,
  timeRange,
  toVersion,
} from './pos-square-wire.ts';
import type { SquareCall } from './pos-square-wire.ts';
import type { Route } from './route-table.ts';
import { groupBy, momentOf, structureOf } from './world-views.ts';

const MAX_PAGE = 100;
const SORT_FIELDS = ['DEFAULT', 'CREATED_AT'] as const;
const exact = z.strictObject({ exact: z.string().max(320).nullish() });

const bulkBody = z.strictObject({ customer_ids: z.array(squareId).min(1).max(100) });
const searchBody = z.strictObject({
  cursor: z.string().optional(),
  limit: z.int().min(1).max(MAX_PAGE).optional(),
  count: z.boolean().optional(),
  query: z
    .strictObject({
      filter: z
        .strictObject({
          created_at: timeRange.optional(),
          updated_at: timeRange.optional(),
          email_address: exact.optional(),
          phone_number: exact.optional(),
          reference_id: exact.optional(),
        })
        .optional(),
      sort: z
        .strictObject({ field: z.enum(SORT_FIELDS).optional(), order: z.enum(['ASC', 'DESC']).optional() })
        .optional(),
    })
    .optional(),
});

type Filter = NonNullable<NonNullable<z.output<typeof searchBody>['query']>['filter']>;

/** The customer directory of the Square fake. Sorting DEFAULT is by id here: a stable order that names nobody. */
export const squareCustomerRoutes: readonly Route<SquareCall>[] = [
  { method: 'POST', path: '/v2/customers/bulk-retrieve', handle: bulkRetrieve },
  { method: 'POST', path: '/v2/customers/search', handle: search },
  { method: 'GET', path: '/v2/customers', handle: list },
  { method: 'GET', path: '/v2/customers/{customer_id}', handle: (call, { customer_id }) => one(call, customer_id) },
];

/** The tills' customer records by their Square id. */
export function squareProfiles(world: World): ReadonlyMap<string, WorldProfile> {
  return structureOf(world, 'square.profiles', () => {
    const profiles = world.profiles.filter(({ system }) => system === 'pos');
    return new Map(profiles.map((profile) => [profile.externalId, profile]));
  });
}

async function bulkRetrieve(call: SquareCall): Promise<Response> {
  const { customer_ids: ids } = await readSquareBody(call, bulkBody);
  const profiles = squareProfiles(call.world);
  const errors = [{ category: 'INVALID_REQUEST_ERROR', code: 'NOT_FOUND', detail: 'Customer not found' }];
  const answers = ids.map((id) => {
    const profile = profiles.get(id);
    return [id, profile === undefined ? { errors } : { customer: toCustomer(call.world, profile) }];
  });
  return Response.json({ responses: Object.fromEntries(answers) as object });
}

function one({ world }: SquareCall, id: string | undefined): Response {
  const profile = squareProfiles(world).get(id ?? '');
  if (profile === undefined) throw squareRefusal(404, 'NOT_FOUND', 'Customer not found');
  return Response.json({ customer: toCustomer(world, profile) });
}

async function search(call: SquareCall): Promise<Response> {
  const { cursor, limit, count, query } = await readSquareBody(call, searchBody);
  const order = query?.sort?.order ?? 'ASC';
  const rows = momentOf(call.world, `square.customers:${JSON.stringify(query ?? {})}`, (world) => {
    const kept = [...squareProfiles(world).values()].filter((profile) => fits(profile, query?.filter));
    return sortKeyed(
      kept.map((profile) => toKeyed(profile, query?.sort?.field)),
      order,
    );
  });
  return page(call.world, rows, { cursor, limit: limit ?? MAX_PAGE, count: count ?? false, order, query });
}

function list({ world, url }: SquareCall): Response {
  const limit = listLimit(url.searchParams.get('limit'));
  const field = choice(url, 'sort_field', SORT_FIELDS);
  const order = choice(url, 'sort_order', ['ASC', 'DESC'] as const) ?? 'ASC';
  const rows = momentOf(world, `square.customerList:${field}:${order}`, () =>
    sortKeyed(
      [...squareProfiles(world).values()].map((profile) => toKeyed(profile, field)),
      order,
    ),
  );
  const count = url.searchParams.get('count') === 'true';
  return page(world, rows, { cursor: url.searchParams.get('cursor'), limit, count, order, query: [field, order] });
}

function page(
  world: World,
  rows: readonly Keyed<WorldProfile>[],
  ask: { cursor: string | null | undefined; limit: number; count: boolean; order: Direction; query: unknown },
): Response {
  const { values, next } = pageAfter(rows, squarePosition(ask.cursor, ask.query ?? {}), ask.limit, ask.order);
  return Response.json({
    ...(values.length === 0 ? {} : { customers: values.map((profile) => toCustomer(world, profile)) }),
    ...(next === null ? {} : { cursor: encodeCursor(next, ask.query ?? {}) }),
    ...(ask.count ? { count: rows.length } : {}),
  });
}

function toKeyed(profile: WorldProfile, field: string | undefined): Keyed<WorldProfile> {
  return { at: field === 'CREATED_AT' ? Date.parse(profile.createdAt) : 0, id: profile.externalId, value: profile };
}

function fits(profile: WorldProfile, filter: Filter | undefined): boolean {
  if (filter === undefined) return true;
  if (!isWithin(filter.created_at, Date.parse(profile.createdAt))) return false;
  if (!isWithin(filter.updated_at, Date.parse(profile.updatedAt))) return false;
  return (
    isSame(filter.email_address, profile.email) &&
    isSame(filter.phone_number, profile.phone) &&
    isSame(filter.reference_id, profile.loyaltyNumber)
  );
}

function isSame(wanted: z.output<typeof exact> | undefined, value: string | null): boolean {
  if (wanted?.exact === undefined || wanted.exact === null) return true;
  return value !== null && value.toLowerCase() === wanted.exact.toLowerCase();
}

function toCustomer(world: World, profile: WorldProfile): object {
  const { address } = profile;
  return {
    id: profile.externalId,
    created_at: profile.createdAt,
    updated_at: profile.updatedAt,
    given_name: profile.givenName,
    family_name: profile.familyName,
    ...(profile.email === null ? {} : { email_address: profile.email }),
    ...(profile.phone === null ? {} : { phone_number: profile.phone }),
    ...(address === null
      ? {}
      : {
          address: {
            address_line_1: address.street,
            locality: address.city,
            postal_code: address.postalCode,
            country: address.country,
          },
        }),
    ...(profile.birthDate === null ? {} : { birthday: profile.birthDate }),
    ...(profile.loyaltyNumber === null ? {} : { reference_id: profile.loyaltyNumber }),
    preferences: { email_unsubscribed: isUnsubscribed(world, profile.externalId) },
    creation_source: profile.loyaltyNumber === null ? 'DIRECTORY' : 'LOYALTY',
    group_ids: profile.isTest ? ['TEST_GROUP'] : [],
    segment_ids: [],
    version: toVersion(profile.updatedAt),
  };
}

/** Square keeps one flag, not a ledger: the latest marketing decision that concerns e-mail. */
function isUnsubscribed(world: World, externalId: string): boolean {
  const consents = structureOf(world, 'square.consents', () =>
    groupBy(
      world.consents.filter(({ system, purpose }) => system === 'pos' && purpose.includes('MARKETING')),
      (consent) => consent.externalId,
    ),
  );
  const own = (consents.get(externalId) ?? []).filter(({ medium }) => medium === null || medium === 'EMAIL');
  const latest = own.reduce<WorldConsent | null>((a, b) => (a === null || a.at <= b.at ? b : a), null);
  return latest !== null && latest.decision !== 'GRANT';
}

function listLimit(text: string | null): number {
  if (text === null) return MAX_PAGE;
  const limit = Number(text);
  if (!Number.isInteger(limit)) throw squareRefusal(400, 'EXPECTED_INTEGER', 'limit must be an integer', 'limit');
  if (limit < 1) throw squareRefusal(400, 'VALUE_TOO_LOW', 'limit must be at least 1', 'limit');
  if (limit > MAX_PAGE) throw squareRefusal(400, 'VALUE_TOO_HIGH', 'limit must be at most 100', 'limit');
  return limit;
}

function choice<T extends string>(url: URL, name: string, allowed: readonly T[]): T | undefined {
  const text = url.searchParams.get(name);
  if (text === null) return undefined;
  if (!allowed.includes(text as T)) throw squareRefusal(400, 'INVALID_ENUM_VALUE', `Unknown ${name}`, name);
  return text as T;
}
