import { createRequire } from 'node:module';

import { describe, expect, it } from 'vitest';

import { readWatermark } from '#connectors/kit/watermark.ts';
import { HOSTILE_IDS, contextOf } from '#test/support/connector-contract.ts';

import { crmHubspot } from './connector.ts';
import { CONTACT_PROPERTIES } from './contact.ts';
import { profileFeed, profilesById } from './contacts.ts';
import batchAnswer from './fixtures/contacts-batch-read.json' with { type: 'json' };

// HubSpot's specification may not be stored: its official client knows the shapes and is the oracle.
const { ObjectSerializer } = createRequire(import.meta.url)(
  '@hubspot/api-client/lib/codegen/crm/contacts/models/ObjectSerializer.js',
) as {
  ObjectSerializer: {
    serialize: (value: unknown, type: string, format: string) => unknown;
    deserialize: (value: unknown, type: string, format: string) => Record<string, unknown>;
  };
};

const context = contextOf(crmHubspot, { credentials: { token: 'secret' } });
const since = '2026-11-01T00:00:00.000Z';
const delta = (token: string | null): string => JSON.stringify({ since, startedAt: null, seen: null, token });
const contactOf = (id: string, lastmodifieddate: string) => ({ id, properties: { lastmodifieddate } });

describe('requests by the official client', () => {
  it('emits a batch read the client would send the same', () => {
    const { json, path } = profilesById.request(['101', '102'], context);
    expect(path).toBe('/crm/v3/objects/contacts/batch/read');
    expect(ObjectSerializer.serialize(json, 'BatchReadInputSimplePublicObjectId', '')).toEqual(json);
    expect(json).toEqual({
      inputs: [{ id: '101' }, { id: '102' }],
      properties: CONTACT_PROPERTIES,
      propertiesWithHistory: [],
    });
    expect(profilesById.max).toBe(100);
  });

  it('emits a search the client would send the same', () => {
    const { json, path } = profileFeed.request(delta('200'), context);
    expect(path).toBe('/crm/v3/objects/contacts/search');
    expect(ObjectSerializer.serialize(json, 'PublicObjectSearchRequest', '')).toEqual(json);
    expect(json).toMatchObject({
      filterGroups: [
        { filters: [{ propertyName: 'lastmodifieddate', operator: 'GT', value: String(Date.parse(since)) }] },
      ],
      after: '200',
    });
  });

  it('lists everything first, without the limit of searches', () => {
    expect(profileFeed.request(null, context)).toMatchObject({
      method: 'GET',
      path: '/crm/v3/objects/contacts',
      query: { limit: 100, properties: CONTACT_PROPERTIES.join(','), after: undefined },
    });
  });

  it('uses a fixture the client reads', () => {
    const read = ObjectSerializer.deserialize(batchAnswer, 'BatchResponseSimplePublicObjectWithErrors', '');
    expect(read).toMatchObject({ numErrors: 2, status: 'COMPLETE', results: [{ id: '101' }, { id: '102' }] });
  });

  it.each(HOSTILE_IDS)('asks nothing for %s: record ids are numbers', (id) => {
    expect(profilesById.accepts?.(id)).toBe(false);
  });
});

describe('contacts', () => {
  it('answers each id for itself: a profile, an error, or nothing', () => {
    const { values, rejected } = profilesById.decode(
      [profilesById.page.parse(batchAnswer)],
      ['101', '102', '103', '104'],
      context,
    );
    expect(rejected).toBe(0);
    expect(values.get('101')).toEqual({
      externalId: '101',
      kind: 'PROFILE',
      givenName: 'Ada',
      familyName: 'Lovelace',
      email: 'ada@example.com',
      emailVerified: true,
      phone: '020 7946 0018',
      addresses: [
        { lines: ["12 St James's Square"], postalCode: 'SW1Y 4JH', city: 'London', region: null, country: 'GB' },
      ],
      birthDate: '1990-12-10',
      preferences: { brands: ['Acme', 'Bolt'], categories: [], sizes: ['M'] },
      loyaltyNumber: 'LOY-1',
      country: 'GB',
      isTest: false,
      doNotLink: true,
      createdAt: '2024-01-02T03:04:05.678Z',
      stamp: { asOf: '2026-11-20T10:00:00.000Z', reference: '101', sequence: '2026-11-20T10:00:00.000Z' },
    });
    expect(values.get('102')).toMatchObject({
      email: null,
      emailVerified: false,
      addresses: [],
      preferences: null,
      country: null,
    });
    expect(values.get('103')).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    expect(values.has('104')).toBe(false);
  });
});

describe('the feed of contacts', () => {
  it('goes on from the latest change of the list', () => {
    const page = { results: [contactOf('1', '2026-11-02T00:00:00Z'), contactOf('2', '2026-11-01T00:00:00Z')] };
    const listed = profileFeed.decode({ ...page, paging: { next: { after: '2' } } }, null, context);
    expect(listed.done).toBe(false);
    expect(profileFeed.request(listed.cursor, context).query).toMatchObject({ after: '2' });
    const done = profileFeed.decode({ results: [] }, listed.cursor, context);
    expect(done.done).toBe(true);
    expect(readWatermark(done.cursor).since).toBe('2026-11-02T00:00:00.000Z');
  });

  it('begins a new search before the 10,000th row, at the last change seen', () => {
    const page = { results: [contactOf('1', '2026-11-05T00:00:00.500Z')], paging: { next: { after: '9950' } } };
    const step = profileFeed.decode(page, delta('9850'), context);
    expect(step.done).toBe(false);
    expect(readWatermark(step.cursor)).toMatchObject({ since: '2026-11-05T00:00:00.499Z', token: null });
  });

  it('leaves out a contact it cannot read and says so', () => {
    const step = profileFeed.decode({ results: [{ id: 5 }, contactOf('1', since)] }, null, context);
    expect(step).toMatchObject({ rejected: 1, changes: [{ value: { externalId: '1' } }] });
  });
});
