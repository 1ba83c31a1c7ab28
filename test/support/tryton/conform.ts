// What the conformance suite and the proofs are told of a real Tryton: it answers itself, and is the oracle.
import type { NewProfile, StockMove } from '#schema/model/writes.ts';
import type { ConformFixtures } from '#test/support/conform-harness.ts';
import type { Oracle } from '#test/support/oracle.ts';

import type { Tryton } from './trytond.ts';

/** Every call of `erp-tryton` is answered by this Tryton. */
export function trytonFixtures({ url, credentials, options, ids }: Tryton): ConformFixtures {
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
    oracleOf: () => trytonOracle,
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

/**
 * A call that Tryton takes is a call within its contract: it knows the model, the method, the fields and their types, and
 * answers anything else with an error status.
 */
const trytonOracle: Oracle = {
  name: 'trytond',
  operationOf: (_request, body) => methodOf(body),
  checkRequest: (_request, body) => (methodOf(body) === null ? ['no call of a method'] : []),
  checkResponse: (_request, status) => (status === 200 ? [] : [`Tryton answered ${status}`]),
};

function methodOf(body: string | undefined): string | null {
  const call: unknown = body === undefined || body === '' ? null : JSON.parse(body);
  return typeof call === 'object' && call !== null && 'method' in call ? String(call.method) : null;
}
