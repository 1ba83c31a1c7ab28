import { z } from 'zod';
import type { WorldProfile } from '#sandbox/world/types.ts';
import {
  contactsInOrder,
  DEFAULT_PROPERTIES,
  idPosition,
  isProperty,
  propertyOf,
  toContact,
} from './crm-hubspot-contact.ts';
import { hubspotJson, hubspotRefusal, readHubspotBody } from './crm-hubspot-wire.ts';
import type { HubspotCall } from './crm-hubspot-wire.ts';
import { momentOf } from './world-views.ts';

const MAX_RESULTS = 10_000;
const MAX_FILTERS = 18;
const OPERATORS = 'EQ NEQ LT LTE GT GTE BETWEEN IN NOT_IN HAS_PROPERTY NOT_HAS_PROPERTY CONTAINS_TOKEN'.split(' ');
const NUMBERS = new Set(['createdate', 'lastmodifieddate', 'hs_object_id', 'date_of_birth']);

const filter = z.object({
  propertyName: z.string().min(1).max(200),
  operator: z.enum(OPERATORS),
  value: z.coerce.string().max(3000).optional(),
  highValue: z.coerce.string().max(3000).optional(),
  values: z.array(z.coerce.string().max(3000)).max(100).optional(),
});
const sort = z.union([
  z.string().max(200),
  z.object({ propertyName: z.string().max(200), direction: z.enum(['ASCENDING', 'DESCENDING']).optional() }),
]);
const searchBody = z.object({
  filterGroups: z
    .array(z.object({ filters: z.array(filter).max(6) }))
    .max(5)
    .optional(),
  sorts: z.array(sort).max(1).optional(),
  properties: z.array(z.string().max(200)).max(500).optional(),
  query: z.string().max(3000).optional(),
  limit: z.int().min(0).max(200).optional(),
  after: z.union([z.string().max(20), z.int()]).optional(),
});

type Search = z.output<typeof searchBody>;
type Filter = z.output<typeof filter>;

/** `POST /crm/v3/objects/contacts/search`: at most 200 a page and 10,000 results in all, `after` is an offset. */
export async function searchContacts(call: HubspotCall): Promise<Response> {
  const { limit = 10, after, properties, ...asked } = await readHubspotBody(call, searchBody);
  const offset = Number(after || 0);
  if (!Number.isInteger(offset) || offset < 0) throw hubspotRefusal(`There was a problem with the request: after`);
  if (offset + limit > MAX_RESULTS) throw hubspotRefusal('There was a problem with the request: over 10,000 results');
  check(asked);
  const found = momentOf(call.world, `hubspot.search:${JSON.stringify(asked)}`, (world) => {
    const kept = contactsInOrder(world)
      .map(({ value }) => value)
      .filter((profile) => fits(profile, asked));
    return sorted(kept, asked.sorts?.[0]);
  });
  const names = properties?.length ? properties : DEFAULT_PROPERTIES;
  const end = offset + limit;
  const paging = end < found.length && limit > 0 ? { paging: { next: { after: String(end) } } } : {};
  const results = found.slice(offset, end).map((profile) => toContact(profile, names));
  return hubspotJson({ total: found.length, results, ...paging });
}

function check({ filterGroups = [], sorts }: Pick<Search, 'filterGroups' | 'sorts'>): void {
  const filters = filterGroups.flatMap((group) => group.filters);
  if (filters.length > MAX_FILTERS) throw hubspotRefusal('Too many filters: at most 18');
  for (const one of filters) {
    if (!isProperty(one.propertyName)) throw hubspotRefusal('There was a problem with the request: unknown property');
    const needsList = one.operator === 'IN' || one.operator === 'NOT_IN';
    const needsValue = !needsList && !one.operator.endsWith('HAS_PROPERTY');
    if (needsList && !one.values?.length) throw hubspotRefusal(`${one.operator} needs values`);
    if (needsValue && one.value === undefined) throw hubspotRefusal(`${one.operator} needs a value`);
    if (one.operator === 'BETWEEN' && one.highValue === undefined) throw hubspotRefusal('BETWEEN needs a highValue');
  }
  const by = sorts?.[0] === undefined ? 'hs_object_id' : sortOf(sorts[0]).name;
  if (!isProperty(by)) throw hubspotRefusal('There was a problem with the request: unknown sort property');
}

function fits(profile: WorldProfile, { filterGroups = [], query }: Search): boolean {
  if (query && !isMentioned(profile, query)) return false;
  return filterGroups.length === 0 || filterGroups.some(({ filters }) => filters.every((one) => fitsOne(profile, one)));
}

function isMentioned(profile: WorldProfile, query: string): boolean {
  const text = ['firstname', 'lastname', 'email', 'phone'].map((name) => propertyOf(profile, name) ?? '').join(' ');
  return text.toLowerCase().includes(query.toLowerCase());
}

function fitsOne(
  profile: WorldProfile,
  { propertyName: name, operator, value = '', highValue = '', values = [] }: Filter,
) {
  const held = propertyOf(profile, name);
  if (operator === 'HAS_PROPERTY') return held !== null;
  if (operator === 'NOT_HAS_PROPERTY') return held === null;
  const listed = values.some((one) => held !== null && compare(name, held, one) === 0);
  if (operator === 'NOT_IN') return !listed;
  if (operator === 'IN') return listed;
  if (held === null) return operator === 'NEQ';
  if (operator === 'CONTAINS_TOKEN') return held.toLowerCase().includes(value.replaceAll('*', '').toLowerCase());
  const order = compare(name, held, value);
  if (operator === 'BETWEEN') return order >= 0 && compare(name, held, highValue) <= 0;
  return { EQ: order === 0, NEQ: order !== 0, LT: order < 0, LTE: order <= 0, GT: order > 0, GTE: order >= 0 }[
    operator
  ];
}

/** Dates are compared as instants, given as milliseconds or as ISO text; ids as numbers; texts without case. */
function compare(name: string, held: string, wanted: string): number {
  if (NUMBERS.has(name)) return toNumber(held) - toNumber(wanted) || 0;
  const [a, b] = [held.toLowerCase(), wanted.toLowerCase()];
  return a < b ? -1 : Number(a > b);
}

function toNumber(text: string): number {
  return /^-?\d+$/.test(text) ? Number(text) : Date.parse(text);
}

function sortOf(one: z.output<typeof sort>): { readonly name: string; readonly sign: number } {
  if (typeof one !== 'string') return { name: one.propertyName, sign: one.direction === 'DESCENDING' ? -1 : 1 };
  return one.startsWith('-') ? { name: one.slice(1), sign: -1 } : { name: one, sign: 1 };
}

function sorted(profiles: readonly WorldProfile[], by: z.output<typeof sort> | undefined): readonly WorldProfile[] {
  if (by === undefined) return profiles;
  const { name, sign } = sortOf(by);
  const rows = profiles.map((profile) => {
    const text = propertyOf(profile, name) ?? '';
    return { profile, key: NUMBERS.has(name) ? toNumber(text) || 0 : text.toLowerCase() };
  });
  rows.sort((a, b) => (a.key === b.key ? byId(a.profile, b.profile) : sign * (a.key < b.key ? -1 : 1)));
  return rows.map(({ profile }) => profile);
}

function byId(a: WorldProfile, b: WorldProfile): number {
  const [left, right] = [idPosition(a.externalId), idPosition(b.externalId)];
  return left.at - right.at || (left.id < right.id ? -1 : 1);
}
