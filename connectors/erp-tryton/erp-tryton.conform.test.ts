import { afterAll, describe } from 'vitest';

import { conformConnector } from '#test/support/conform-connector.ts';
import type { ConformFixtures } from '#test/support/conform-harness.ts';
import type { NewProfile, StockMove } from '#schema/model/writes.ts';
import { TRYTON_WITHIN_MS, type Tryton, startTryton, trytonOrSkip } from '#test/support/tryton/trytond.ts';

import { erpTryton } from './connector.ts';

// The suite of every connector, over a real system instead of a fake: what is not a fault of the suite's own is answered by
// Tryton itself.
const isThere = await trytonOrSkip();

describe.skipIf(!isThere)('over a real Tryton', { timeout: TRYTON_WITHIN_MS }, () => {
  let tryton: Tryton | null = null;
  afterAll(async () => {
    await tryton?.[Symbol.asyncDispose]();
  });

  conformConnector(erpTryton, async () => {
    tryton = await startTryton();
    return fixturesOf(tryton);
  });
});

function fixturesOf({ url, credentials, options, ids }: Tryton): ConformFixtures {
  let login: Promise<string> | null = null;
  const forward = async (request: Request, body: string): Promise<Response> => {
    const { pathname } = new URL(request.url);
    const headers = new Headers(request.headers);
    return fetch(`${url}${pathname}`, { method: request.method, headers, body, signal: request.signal });
  };
  return {
    credentials: { ...credentials },
    options,
    answer: async (request) => {
      const body = await request.text();
      if (request.headers.has('authorization')) return forward(request, body);
      // Tryton's password check is slow on purpose; the suite connects hundreds of times, with one session.
      login ??= forward(request, body).then((response) => response.text());
      return new Response(await login, { headers: { 'content-type': 'application/json' } });
    },
    contractOf: () => null,
    keys: {
      items: { known: ['MG-00001', 'MG-00002'], unknown: (n) => `NONE-${n}` },
      stock: { known: ['1', '2'], unknown: unknownId, toKey: (externalId) => ({ sku: 'SKU', externalId }) },
      profiles: { known: ['10', '11'], unknown: unknownId },
      orders: { known: ['1', '2'], unknown: unknownId },
    },
    writes: {
      stockMoveSink: {
        input: (n) => loss(String(ids.warehouses['W1']), n),
        unfit: [
          { ...loss('1', 0), key: 'elsewhere' },
          { ...loss(String(ids.warehouses['W1']), 0), key: 'bought', kind: 'RECEIVED' },
          { ...loss(String(ids.warehouses['W1']), 0), key: 'counted', kind: 'COUNTED' },
          { ...loss(String(ids.warehouses['W1']), 0), key: 'none', units: 0 },
          { ...loss(String(ids.warehouses['W1']), 0), key: 'item', externalId: "1' or 1" },
        ],
        personal: [],
      },
      profileSink: {
        input: (n) => person(`CONFORM-${written++}`, n),
        unfit: [person('', 0), { ...person('NAMELESS', 0), givenName: ' ', familyName: null }],
        personal: ['p0@person.test', 'p1@person.test', 'Person-0', 'Person-1', 'Lane 0', 'Lane 1'],
      },
    },
  };
}

const unknownId = (n: number): string => String(900_000_000 + n);

/** A party's code is taken once, and the suite writes many times. */
let written = 0;

function loss(locationExternalId: string, n: number): StockMove {
  return {
    key: `move-${n}`,
    externalId: '1',
    locationExternalId,
    kind: 'LOST',
    units: 1,
    at: '2026-11-23T12:00:00.000Z',
  };
}

function person(code: string, n: number): NewProfile {
  const address = { lines: [`Lane ${n}`], postalCode: 'LS1 1AA', city: 'Leeds', region: null, country: 'GB' };
  return { code, givenName: `Person-${n}`, familyName: 'Test', email: `p${n}@person.test`, phone: null, address };
}
