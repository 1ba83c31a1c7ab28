import { z } from 'zod';

import type { BatchReadDefinition, FeedDefinition } from '#connectors/kit/definition.ts';
import type { ProfileDraft } from '#connectors/kit/draft.ts';
import { byKey, readRows, upserts } from '#connectors/kit/rows.ts';
import { countryOf, instantOf, splitName, textOf } from '#connectors/kit/text.ts';
import type { PostalAddress } from '#schema/model/records.ts';

import { PAGE_SIZE, advanceChanges, changedSince } from './changes.ts';
import { ARCHIVED_TOO, recordId, records, searchRead } from './rpc.ts';
import type { Domain, Records } from './rpc.ts';
import { isRecordId } from './settings.ts';
import type { TrytonSettings } from './settings.ts';
import { flag, instant, latest } from './values.ts';

const text = z.string().nullish();
const written = { write_date: instant.nullish() };
const address = z.object({
  ...written,
  street: text,
  postal_code: text,
  city: text,
  'country.': z.object({ code: text }).nullish(),
  'subdivision.': z.object({ name: text }).nullish(),
});
const party = z.object({
  ...written,
  id: recordId,
  code: text,
  name: text,
  active: flag,
  create_date: instant.nullish(),
  'addresses.': z.array(address),
  'contact_mechanisms.': z.array(z.object({ ...written, type: text, value: text })),
});
type Party = z.infer<typeof party>;

const FIELDS = [
  'code',
  'name',
  'active',
  'create_date',
  'write_date',
  'addresses.street',
  'addresses.postal_code',
  'addresses.city',
  'addresses.country.code',
  'addresses.subdivision.name',
  'addresses.write_date',
  'contact_mechanisms.type',
  'contact_mechanisms.value',
  'contact_mechanisms.write_date',
];

function decodeAddress(row: z.infer<typeof address>): PostalAddress {
  return {
    lines: (row.street ?? '').split('\n').flatMap((line) => textOf(line) ?? []),
    postalCode: textOf(row.postal_code),
    city: textOf(row.city),
    region: textOf(row['subdivision.']?.name),
    country: countryOf(row['country.']?.code),
  };
}

const changeOf = (row: Party): string | null =>
  latest([
    row.create_date,
    row.write_date,
    ...row['addresses.'].map(({ write_date }) => write_date),
    ...row['contact_mechanisms.'].map(({ write_date }) => write_date),
  ]);

function decodeParty(row: Party): ProfileDraft {
  const mechanism = (...types: readonly string[]): string | null =>
    textOf(row['contact_mechanisms.'].find(({ type }) => types.includes(type ?? ''))?.value);
  const addresses = row['addresses.'].map(decodeAddress).filter(({ lines, city }) => lines.length > 0 || city !== null);
  const changedAt = changeOf(row);
  return {
    externalId: String(row.id),
    kind: 'PROFILE',
    ...splitName(row.name),
    email: mechanism('email'),
    emailVerified: false,
    phone: mechanism('mobile') ?? mechanism('phone'),
    addresses,
    birthDate: null,
    preferences: null,
    loyaltyNumber: null,
    country: addresses[0]?.country ?? null,
    isTest: false,
    doNotLink: false,
    createdAt: instantOf(row.create_date),
    stamp: { asOf: instantOf(changedAt), reference: textOf(row.code), sequence: changedAt },
  };
}

function parties(domain: Domain, settings: TrytonSettings, limit?: number) {
  const { customerCategory } = settings;
  const kind = customerCategory === undefined ? [] : [['categories', '=', customerCategory]];
  const all = [...domain, ...kind, ARCHIVED_TOO];
  return searchRead('party.party', { domain: all, fields: FIELDS, ...(limit && { limit }) }, settings);
}

/** Parties by id; archived ones are absent. */
export const profilesById: BatchReadDefinition<string, ProfileDraft, TrytonSettings, Records> = {
  max: 100,
  keyOf: (id) => id,
  accepts: isRecordId,
  request: (ids, { settings }) => parties([['id', 'in', ids.map(Number)]], settings),
  page: records,
  decode: (bodies) => {
    const read = readRows(party, bodies.flat(), (row) => ({ draft: decodeParty(row), active: row.active }));
    const drafts = read.values.flatMap(({ draft, active }) => (active ? draft : []));
    return byKey({ values: drafts, rejected: read.rejected }, ({ externalId }) => externalId);
  },
  absent: null,
  freshnessMs: null,
};

/** Every party, then those that changed, themselves or by an address or a contact; an archived one is gone. */
export const profileFeed: FeedDefinition<ProfileDraft, TrytonSettings, Records> = {
  feed: 'parties',
  intervalMs: 30_000,
  request: (cursor, { settings }) => {
    const instants = ['create_date', 'write_date', 'addresses.write_date', 'contact_mechanisms.write_date'];
    return parties(changedSince(cursor, instants), settings, PAGE_SIZE);
  },
  page: records,
  decode: (rows, cursor, { nowMs }) => {
    const read = readRows(party, rows, (row) => ({ draft: decodeParty(row), row }));
    const page = { rows, changedAt: read.values.map(({ row }) => changeOf(row)) };
    const changes = read.values.flatMap(({ draft, row }) =>
      row.active ? upserts([draft]) : [{ kind: 'delete' as const, externalId: draft.externalId }],
    );
    return { ...advanceChanges(cursor, page, nowMs), changes, rejected: read.rejected };
  },
};
