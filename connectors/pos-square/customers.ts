import { z } from 'zod';

import type { BatchReadDefinition, FeedDefinition } from '#connectors/kit/definition.ts';
import type { ProfileDraft } from '#connectors/kit/draft.ts';
import { upstreamError } from '#connectors/kit/failure.ts';
import { readRow, readRows, rows, upserts } from '#connectors/kit/rows.ts';
import { countryOf, dateOf, instantOf, textOf } from '#connectors/kit/text.ts';
import { advance, readWatermark, restartRun } from '#connectors/kit/watermark.ts';
import type { MortarError } from '#platform/errors.ts';
import type { PostalAddress } from '#schema/model/records.ts';

import type { SquareSettings } from './settings.ts';
import { cursorExpired, justAfter, squareAddress, squareErrors, text } from './wire.ts';
import type { SquareAddress } from './wire.ts';

const customer = z.object({
  id: z.string().min(1),
  created_at: text,
  updated_at: text,
  given_name: text,
  family_name: text,
  email_address: text,
  phone_number: text,
  address: squareAddress,
  birthday: text,
  reference_id: text,
  group_ids: z.array(z.string()).nullish(),
  version: z.number().nullish(),
});
type Customer = z.infer<typeof customer>;

const bulkAnswer = z.object({ responses: z.record(z.string(), z.unknown()).nullish() });
type BulkAnswer = z.infer<typeof bulkAnswer>;
const bulkEntry = z.object({ customer: z.unknown().optional(), errors: squareErrors });

const searchAnswer = z.object({ customers: rows.nullish(), cursor: text });
type SearchAnswer = z.infer<typeof searchAnswer>;

/** An address of a person; null when no part of it is known. */
export function addressOf(address: SquareAddress): PostalAddress | null {
  if (address === null || address === undefined) return null;
  const parts = {
    lines: [address.address_line_1, address.address_line_2, address.address_line_3]
      .map((line) => textOf(line))
      .filter((line) => line !== null),
    postalCode: textOf(address.postal_code),
    city: textOf(address.locality),
    region: textOf(address.administrative_district_level_1),
    country: countryOf(address.country),
  };
  const isEmpty =
    parts.lines.length === 0 && [parts.postalCode, parts.city, parts.region].every((part) => part === null);
  return isEmpty ? null : parts;
}

function decodeCustomer(row: Customer, settings: SquareSettings): ProfileDraft {
  const address = addressOf(row.address);
  const groups = new Set(row.group_ids);
  return {
    externalId: row.id,
    kind: 'PROFILE',
    givenName: textOf(row.given_name),
    familyName: textOf(row.family_name),
    email: textOf(row.email_address),
    // Square takes what the cashier types and proves nothing.
    emailVerified: false,
    phone: textOf(row.phone_number),
    addresses: address === null ? [] : [address],
    birthDate: dateOf(row.birthday),
    preferences: null,
    loyaltyNumber: settings.referenceId === 'loyaltyNumber' ? textOf(row.reference_id) : null,
    country: countryOf(row.address?.country),
    isTest: settings.testGroupIds.some((id) => groups.has(id)),
    doNotLink: settings.doNotLinkGroupIds.some((id) => groups.has(id)),
    createdAt: instantOf(row.created_at),
    stamp: { asOf: instantOf(row.updated_at), reference: row.id, sequence: row.version?.toString() ?? null },
  };
}

/** One key's part of a bulk answer: a profile, null when Square does not know the id, an error otherwise. */
function decodeEntry(entry: unknown, settings: SquareSettings): ProfileDraft | null | MortarError {
  const read = readRow(bulkEntry, entry);
  if (read instanceof Error) return read;
  const codes = (read.errors ?? []).map((error) => error.code);
  if (codes.includes('NOT_FOUND') || codes.includes('CUSTOMER_NOT_FOUND')) return null;
  if (codes.length > 0 || read.customer === undefined) {
    return upstreamError('UPSTREAM_UNAVAILABLE', { message: 'Square could not read this customer.' });
  }
  const row = readRow(customer, read.customer);
  return row instanceof Error ? row : decodeCustomer(row, settings);
}

/** Customers by id; every id has its own answer or error. */
export const profilesById: BatchReadDefinition<string, ProfileDraft, SquareSettings, BulkAnswer> = {
  max: 100,
  keyOf: (id) => id,
  request: (ids) => ({
    operation: 'BulkRetrieveCustomers',
    method: 'POST',
    path: '/v2/customers/bulk-retrieve',
    json: { customer_ids: ids },
  }),
  page: bulkAnswer,
  decode: (bodies, ids, { settings }) => {
    const responses = bodies[0]?.responses ?? {};
    const known = ids.filter((id) => Object.hasOwn(responses, id));
    return { values: new Map(known.map((id) => [id, decodeEntry(responses[id], settings)])), rejected: 0 };
  },
  absent: null,
  freshnessMs: null,
};

/** Every customer, then the changed ones. Square does not list deleted customers here: they are found when read by id. */
export const profileFeed: FeedDefinition<ProfileDraft, SquareSettings, SearchAnswer> = {
  feed: 'customers',
  intervalMs: 30_000,
  request: (cursor) => {
    const { since, token } = readWatermark(cursor);
    const filter = since === null ? {} : { filter: { updated_at: { start_at: justAfter(since) } } };
    return {
      operation: 'SearchCustomers',
      method: 'POST',
      path: '/v2/customers/search',
      json: {
        limit: 100,
        query: { ...filter, sort: { field: 'CREATED_AT', order: 'ASC' } },
        ...(token === null ? {} : { cursor: token }),
      },
    };
  },
  page: searchAnswer,
  decode: (body, cursor, { settings, nowMs }) => {
    const { values, rejected } = readRows(customer, body.customers ?? [], (row) => decodeCustomer(row, settings));
    const changedAt = values.map((value) => value.stamp.asOf);
    return { ...advance(cursor, { changedAt, token: textOf(body.cursor) }, nowMs), changes: upserts(values), rejected };
  },
  expired: cursorExpired,
  restart: restartRun,
};
