import { Client } from '@hubspot/api-client';
import { describe, expect, test } from 'vitest';
import type { World } from '#sandbox/world/types.ts';
import { tinyProfile, tinyWorld } from '#test/support/tiny-world.ts';
import { createVendorCall } from '#test/support/vendor-call.ts';
import type { Answer } from '#test/support/vendor-call.ts';
import { serveVendor } from '#test/support/vendor-server.ts';
import { createHubspotVendor } from './crm-hubspot.ts';

const vendor = createHubspotVendor({ nowMs: () => Date.parse('2026-03-05T12:00:00.000Z') });
const CONTACTS = '/crm/v3/objects/contacts';

const call = createVendorCall({
  vendor,
  headers: () => ({ authorization: `Bearer ${vendor.credentials.token}` }),
  contractOf: () => null,
});

const batch = (ids: readonly string[], extra: object = {}) => ({
  inputs: ids.map((id) => ({ id })),
  properties: ['email', 'phone', 'loyalty_number', 'email_verified', 'is_test', 'preferred_categories', 'no_such'],
  propertiesWithHistory: [],
  ...extra,
});

describe('HubSpot batch read', () => {
  test('properties are texts, e-mails lower case, empty ones null and unknown ones absent', async () => {
    const { status, body, headers } = await call(tinyWorld(), 'POST', `${CONTACTS}/batch/read`, batch(['101', '102']));
    expect([status, body.status]).toEqual([200, 'COMPLETE']);
    expect(body.results[0]).toMatchObject({ id: '101', archived: false, updatedAt: '2026-03-01T10:00:00.000Z' });
    expect(body.results[0].properties).toEqual({
      createdate: '2025-01-01T00:00:00.000Z',
      email: 'ada.byron@example.test',
      email_verified: 'true',
      hs_object_id: '101',
      is_test: 'false',
      lastmodifieddate: '2026-03-01T10:00:00.000Z',
      loyalty_number: 'L-100',
      phone: '07700 900123',
      preferred_categories: 'Homeware;Garden',
    });
    expect(body.results[1].properties).toMatchObject({ is_test: 'true', preferred_categories: null });
    expect(headers.get('x-hubspot-ratelimit-max')).toBe('190');
  });

  test('missing ids are absent and told in a 207', async () => {
    const { status, body } = await call(tinyWorld(), 'POST', `${CONTACTS}/batch/read`, batch(['101', '999', 'CUST1']));
    expect([status, body.numErrors, body.results.length]).toEqual([207, 1, 1]);
    expect(body.errors[0]).toMatchObject({ category: 'OBJECT_NOT_FOUND', context: { ids: ['999', 'CUST1'] } });
  });

  test('contacts are found by e-mail in any case', async () => {
    const ask = batch(['ADA.Byron@example.TEST'], { idProperty: 'email' });
    const { body } = await call(tinyWorld(), 'POST', `${CONTACTS}/batch/read`, ask);
    expect(body.results.map((contact: { id: string }) => contact.id)).toEqual(['101']);
  });

  test('more than 100 inputs, a missing array and a foreign idProperty are refused', async () => {
    const many = Array.from({ length: 101 }, (_, index) => String(index));
    const { propertiesWithHistory: _, ...short } = batch(['101']);
    for (const body of [
      batch(many),
      short,
      batch(['101'], { idProperty: 'phone' }),
      batch([]),
      '{',
      'null',
      '{"inputs":7}',
    ]) {
      const answer = await call(tinyWorld(), 'POST', `${CONTACTS}/batch/read`, body);
      expect(answer.status).toBe(400);
      expect(answer.body).toMatchObject({ status: 'error', category: 'VALIDATION_ERROR' });
      expect(answer.body.correlationId).toMatch(/^[\da-f-]{36}$/);
    }
  });
});

describe('HubSpot list and one', () => {
  test('the list pages in the order of ids', async () => {
    const world: World = { ...tinyWorld(), profiles: ['20', '3', '100'].map((id) => tinyProfile('crm', id)) };
    const seen: string[] = [];
    let after = '';
    do {
      const { body } = await call(
        world,
        'GET',
        `${CONTACTS}?limit=1&properties=email,zip${after && `&after=${after}`}`,
      );
      seen.push(...body.results.map((contact: { id: string }) => contact.id));
      after = body.paging?.next.after ?? '';
    } while (after !== '');
    expect(seen).toEqual(['3', '20', '100']);
    for (const query of ['limit=101', 'limit=0', 'limit=x', 'after=%00']) {
      expect((await call(world, 'GET', `${CONTACTS}?${query}`)).status).toBe(400);
    }
  });

  test('one contact by id or e-mail, 404 for an unknown one', async () => {
    const world = tinyWorld();
    expect((await call(world, 'GET', `${CONTACTS}/101`)).body.properties.firstname).toBe('Ada');
    expect((await call(world, 'GET', `${CONTACTS}/second@example.test?idProperty=email`)).body.id).toBe('102');
    for (const id of ['9', '%00', '__proto__', 'x'.repeat(5000)]) {
      expect((await call(world, 'GET', `${CONTACTS}/${id}`)).status).toBe(404);
    }
  });
});

describe('HubSpot search', () => {
  const people = Array.from({ length: 5 }, (_, index) =>
    tinyProfile('crm', String(index + 1), {
      email: `p${index}@example.test`,
      updatedAt: `2026-03-0${5 - index}T00:00:00Z`,
    }),
  );
  const world: World = { ...tinyWorld(), profiles: people };
  const search = (body: unknown) => call(world, 'POST', `${CONTACTS}/search`, body);
  const where = (propertyName: string, operator: string, rest: object) => ({
    filterGroups: [{ filters: [{ propertyName, operator, ...rest }] }],
  });
  const ids = ({ body }: Answer) => body.results.map((contact: { id: string }) => contact.id);

  test('changes since an instant come oldest first, page by page, with the total', async () => {
    const since = where('lastmodifieddate', 'GTE', { value: String(Date.parse('2026-03-02T00:00:00Z')) });
    const sorts = [{ propertyName: 'lastmodifieddate', direction: 'ASCENDING' }];
    const first = await search({ ...since, sorts, limit: 3 });
    expect([first.body.total, ids(first), first.body.paging.next.after]).toEqual([4, ['4', '3', '2'], '3']);
    const second = await search({ ...since, sorts, limit: 3, after: '3' });
    expect([ids(second), second.body.paging]).toEqual([['1'], undefined]);
  });

  test('ids compare as numbers, e-mails without case, groups are alternatives', async () => {
    expect(ids(await search(where('hs_object_id', 'GT', { value: '3' })))).toEqual(['4', '5']);
    expect(ids(await search(where('email', 'EQ', { value: 'P1@example.test' })))).toEqual(['2']);
    expect(ids(await search(where('email', 'IN', { values: ['p0@example.test', 'p4@example.test'] })))).toEqual([
      '1',
      '5',
    ]);
    const either = [where('hs_object_id', 'EQ', { value: '1' }), where('hs_object_id', 'EQ', { value: '5' })];
    expect(ids(await search({ filterGroups: either.flatMap(({ filterGroups }) => filterGroups) }))).toEqual(['1', '5']);
    expect(ids(await search(where('hs_object_id', 'BETWEEN', { value: '2', highValue: '3' })))).toEqual(['2', '3']);
  });

  test('limits and unknown properties are refused', async () => {
    const bad = [
      { limit: 201 },
      { limit: 100, after: '9950' },
      { after: '-1' },
      where('nope', 'EQ', { value: '1' }),
      where('email', 'EQ', {}),
      where('email', 'LIKE', { value: '1' }),
      { filterGroups: Array.from({ length: 6 }, () => ({ filters: [] })) },
      '[]',
    ];
    for (const body of bad) expect((await search(body)).status).toBe(400);
    expect((await search({ limit: 100, after: '9900' })).status).toBe(200);
  });
});

test('a request without the token is unauthorized and an unknown path is not found', async () => {
  const response = await vendor.handler(new Request(`http://hubspot.test${CONTACTS}`), tinyWorld());
  expect([response.status, ((await response.json()) as { category: string }).category]).toEqual([
    401,
    'INVALID_AUTHENTICATION',
  ]);
  expect((await call(tinyWorld(), 'GET', '/crm/v3/objects/deals')).status).toBe(404);
  expect(vendor.operationOf(new Request(`http://x${CONTACTS}/12`))).toBe('GET /crm/v3/objects/contacts/{contactId}');
});

test('HubSpot’s own client reads in batches, lists, searches and sees 429 over HTTP', async () => {
  const world = tinyWorld();
  let limited = false;
  const server = await serveVendor((request) =>
    limited ? Promise.resolve(vendor.rateLimited()) : vendor.handler(request, world),
  );
  try {
    const client = new Client({ accessToken: vendor.credentials.token as string, basePath: server.url });
    const { basicApi, batchApi, searchApi } = client.crm.contacts;
    const read = await batchApi.read({
      inputs: [{ id: '101' }, { id: '999' }],
      properties: ['email'],
      propertiesWithHistory: [],
    });
    expect(read.results[0]?.properties.email).toBe('ada.byron@example.test');
    expect(read.results[0]?.updatedAt).toEqual(new Date('2026-03-01T10:00:00.000Z'));
    expect(read).toHaveProperty('numErrors', 1);
    const listed = await basicApi.getPage(1, undefined, ['email']);
    expect(listed.paging?.next?.after).toBe('101');
    const found = await searchApi.doSearch({
      filterGroups: [{ filters: [{ propertyName: 'email', operator: 'EQ' as never, value: 'second@example.test' }] }],
      limit: 10,
      properties: ['is_test'],
    });
    expect([found.total, found.results[0]?.properties.is_test]).toEqual([1, 'true']);
    limited = true;
    const error = await basicApi.getById('101').then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: 429, body: { policyName: 'TEN_SECONDLY_ROLLING' } });
  } finally {
    await server.close();
  }
});
