import { describe, expect, it } from 'vitest';

import { useProduct } from '#test/support/use-product.ts';

const product = useProduct();
const SKUS = Array.from({ length: 201 }, (_, index) => `S-${index}`);
const AVAILABILITY = 'query Q($skus: [Sku!]!) { availability(skus: $skus, channel: "web") { sku } }';

interface Sent {
  readonly name: string;
  readonly body: string;
  readonly status: number;
  readonly code: string;
}
const json = (body: object): string => JSON.stringify(body);

const cases: readonly Sent[] = [
  { name: 'malformed JSON', body: '{"query": "{ channels ', status: 400, code: 'BAD_REQUEST' },
  { name: 'an empty body', body: '', status: 400, code: 'BAD_REQUEST' },
  { name: 'a body that is no object', body: '"hello"', status: 400, code: 'BAD_REQUEST' },
  { name: 'broken syntax', body: json({ query: '{ channels {' }), status: 400, code: 'GRAPHQL_PARSE_FAILED' },
  {
    name: 'an unknown field',
    body: json({ query: '{ chanels { id } }' }),
    status: 400,
    code: 'GRAPHQL_VALIDATION_FAILED',
  },
  {
    name: 'an unknown operation name',
    body: json({ query: 'query A { channels { id } } query B { channels { id } }', operationName: 'C' }),
    status: 400,
    code: 'OPERATION_RESOLUTION_FAILURE',
  },
  {
    name: 'a wrong variable type',
    body: json({ query: 'query Q($n: Int) { products(first: $n) { nodes { sku } } }', variables: { n: 'x' } }),
    status: 400,
    code: 'BAD_USER_INPUT',
  },
  {
    name: 'first: 1000',
    body: json({ query: '{ products(first: 1000) { nodes { sku } } }' }),
    status: 400,
    code: 'LIMIT_LIST',
  },
  {
    name: 'first: 0',
    body: json({ query: '{ products(first: 0) { nodes { sku } } }' }),
    status: 400,
    code: 'LIMIT_LIST',
  },
  { name: '201 skus', body: json({ query: AVAILABILITY, variables: { skus: SKUS } }), status: 400, code: 'LIMIT_LIST' },
  {
    name: 'a hundred aliases',
    body: json({ query: `{ ${Array.from({ length: 100 }, (_, i) => `a${i}: channels { id }`).join(' ')} }` }),
    status: 400,
    code: 'LIMIT_ALIASES',
  },
  {
    name: 'a body over 1 MiB',
    body: json({ query: '{ channels { id } }', variables: { x: 'x'.repeat(1_100_000) } }),
    status: 413,
    code: 'REQUEST_TOO_LARGE',
  },
];

describe('bad input', () => {
  it.each(cases)('answers $name with $status $code as JSON, and lives', async ({ body, status, code }) => {
    const { urls, token, ask } = product();
    const response = await fetch(urls.graph, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${await token('storefront')}` },
      body,
    });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toMatch(/^application\/(graphql-response\+)?json/);
    const answer = (await response.json()) as {
      errors: { message: string; extensions: { code: string; action?: string } }[];
    };
    expect(answer.errors[0]?.extensions.code).toBe(code);
    expect(answer.errors[0]?.message).not.toBe('');
    expect(JSON.stringify(answer)).not.toMatch(/node_modules|\.ts:\d|at .*\(/);
    expect((await ask('{ channels { id } }', { token: await token('storefront') })).status).toBe(200);
  });

  it('refuses another content type, another path and another method with JSON', async () => {
    const { urls } = product();
    const form = await fetch(urls.graph, {
      method: 'POST',
      body: new URLSearchParams({ query: '{ channels { id } }' }),
    });
    expect([form.status, await codeOf(form)]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
    const path = await fetch(`${urls.base}/graphq`);
    expect([path.status, await codeOf(path)]).toEqual([404, 'NOT_FOUND']);
    const method = await fetch(urls.graph, { method: 'DELETE' });
    expect([method.status, await codeOf(method)]).toEqual([405, 'METHOD_NOT_ALLOWED']);
    const traversal = await fetch(`${urls.base}/graphiql/..%2f..%2f..%2fpackage.json`);
    expect(traversal.status).toBe(404);
  });

  it('refuses ids and cursors of others’ making without an error of its own', async () => {
    const { ask, token } = product();
    const officer = await token('privacy-officer');
    const absent = await ask('{ customer(id: "cus_x") { id } order(id: "1 or 1=1") { id } }', { token: officer });
    expect(absent).toMatchObject({ status: 200, errors: [], data: { customer: null, order: null } });
    const cursor = await ask('{ customers(first: 2, after: "bm9uc2Vuc2U") { nodes { id } } }', { token: officer });
    expect(cursor.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });

  it('costs a malformed item code its own field alone', async () => {
    const { ask, token } = product();
    const answer = await ask(
      'query Q($skus: [Sku!]!) { channels { id } availability(skus: $skus, channel: "web") { sku } }',
      {
        token: await token('storefront'),
        variables: { skus: [{ a: 1 }] },
      },
    );
    expect(answer.data).toMatchObject({ channels: expect.any(Array), availability: null });
    expect(answer.errors).toMatchObject([{ path: ['availability'], extensions: { code: 'BAD_USER_INPUT' } }]);
  });

  it('leaves no trace of an error in the output of the process', () => {
    expect(product().process.stderr()).not.toMatch(/"level":"?(50|60|error|fatal)/);
  });
});

async function codeOf(response: Response): Promise<string | undefined> {
  const body = (await response.json()) as { errors: { extensions: { code: string } }[] };
  return body.errors[0]?.extensions.code;
}
