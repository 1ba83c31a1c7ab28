import { buildClientSchema, type IntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { FULLEST_INTROSPECTION, MULTIPLIED_INTROSPECTION } from '#test/support/hostile-documents.ts';
import { createFixtureGateway, startTestIssuer, type TestIssuer } from '#test/support/gateway.ts';

let issuer: TestIssuer;
let gateway: Awaited<ReturnType<typeof createFixtureGateway>>;
beforeAll(async () => {
  issuer = await startTestIssuer();
  gateway = await createFixtureGateway({ issuer });
});
afterAll(async () => {
  await gateway.close();
  await issuer.close();
});

describe('introspection', () => {
  const INTROSPECTION = '{ __schema { queryType { name } } }';
  it('needs no token in development and is off in production', async () => {
    expect((await gateway.ask(INTROSPECTION, { token: null })).body).toMatchObject({
      data: { __schema: { queryType: { name: 'Query' } } },
    });
    const strict = await createFixtureGateway({ issuer, config: { production: true } });
    expect((await strict.ask(INTROSPECTION, { token: null })).status).toBe(401);
    expect((await strict.ask(INTROSPECTION)).body.errors?.[0]?.extensions['code']).toBe('GRAPHQL_VALIDATION_FAILED');
    await strict.close();
  });

  it('answers the fullest query of tools, and without a token refuses what multiplies it', async () => {
    const whole = await gateway.ask(FULLEST_INTROSPECTION, { token: null });
    expect(whole.body.errors).toBeUndefined();
    expect(buildClientSchema(whole.body.data as unknown as IntrospectionQuery).getType('Customer')).toBeDefined();
    const multiplied = await gateway.ask(MULTIPLIED_INTROSPECTION, { token: null });
    expect([multiplied.status, multiplied.body.errors?.[0]?.extensions['code']]).toEqual([400, 'LIMIT_COST']);
  });
});

describe('documents', () => {
  const many = (count: number, make: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => make(index)).join(' ');
  const skus = (count: number) => Array.from({ length: count }, (_, index) => `s${index}`);
  const cases: readonly [string, string, object | undefined, string][] = [
    ['broken syntax', '{ product(', undefined, 'GRAPHQL_PARSE_FAILED'],
    ['an unknown field', '{ produkt { sku } }', undefined, 'GRAPHQL_VALIDATION_FAILED'],
    ['an unknown argument type', '{ product(sku: {a: 1}) { sku } }', undefined, 'GRAPHQL_VALIDATION_FAILED'],
    ['an empty document', '', undefined, 'BAD_REQUEST'],
    [
      'a wrong variable type',
      'query Q($ids: [ID!]!) { find(ids: $ids) { id } }',
      { ids: [{ a: 1 }] },
      'BAD_USER_INPUT',
    ],
    ['a missing variable', 'query Q($ids: [ID!]!) { find(ids: $ids) { id } }', {}, 'BAD_USER_INPUT'],
    ['first: 1000', '{ customers(first: 1000) { nodes { id } } }', undefined, 'LIMIT_LIST'],
    ['first: 0', '{ customers(first: 0) { nodes { id } } }', undefined, 'LIMIT_LIST'],
    ['first by variable', 'query Q($n: Int) { customers(first: $n) { nodes { id } } }', { n: 101 }, 'LIMIT_LIST'],
    [
      'first by default of a variable',
      'query Q($n: Int = 500) { customers(first: $n) { nodes { id } } }',
      {},
      'LIMIT_LIST',
    ],
    ['201 keys in a literal', `{ find(ids: ${JSON.stringify(skus(201))}) { id } }`, undefined, 'LIMIT_LIST'],
    ['201 keys in a variable', 'query Q($ids: [ID!]!) { find(ids: $ids) { id } }', { ids: skus(201) }, 'LIMIT_LIST'],
    ['depth', `{ customer(id: 1) ${'{ friends '.repeat(16)}{ id }${' }'.repeat(16)} }`, undefined, 'LIMIT_DEPTH'],
    [
      'depth through fragments',
      `{ customer(id: 1) { ...A } } fragment A on Customer ${'{ friends '.repeat(9)}{ ...B }${' }'.repeat(9)} fragment B on Customer ${'{ friends '.repeat(9)}{ id }${' }'.repeat(9)}`,
      undefined,
      'LIMIT_DEPTH',
    ],
    ['31 aliases', `{ ${many(31, (index) => `a${index}: product(sku: 1) { sku }`)} }`, undefined, 'LIMIT_ALIASES'],
    ['a forbidden alias', '{ __deny_0_x: product(sku: 1) { sku } }', undefined, 'LIMIT_ALIASES'],
    ['an alias of objects’ own', '{ constructor: product(sku: 1) { sku } }', undefined, 'LIMIT_ALIASES'],
    ['a forbidden alias behind a comment', '{ __proto__ #\n: product(sku: 1) { sku } }', undefined, 'LIMIT_ALIASES'],
    [
      'a forbidden alias two comments away',
      '{ product(sku: 1) { __typename #\n #\n : sku } }',
      undefined,
      'LIMIT_ALIASES',
    ],
    [
      '21 root fields',
      `{ ${many(21, (index) => `a${index}: product(sku: 1) { sku }`)} }`,
      undefined,
      'LIMIT_ROOT_FIELDS',
    ],
    [
      'four introspections',
      `{ ${many(4, (index) => `a${index}: __schema { types { name } }`)} }`,
      undefined,
      'LIMIT_ROOT_FIELDS',
    ],
    ['aliases that multiply introspection', MULTIPLIED_INTROSPECTION, undefined, 'LIMIT_COST'],
    ['too many tokens', `{ ${many(2_001, () => 'product')} }`, undefined, 'LIMIT_COST'],
    [
      'a document of 101,000 characters',
      `# ${'x'.repeat(101_000)}\n{ product(sku: 1) { sku } }`,
      undefined,
      'LIMIT_COST',
    ],
    ['more line ends than tokens allowed', `{ product(sku: 1) { sku }${'\n'.repeat(2_001)}}`, undefined, 'LIMIT_COST'],
    [
      'too many directives',
      `{ product(sku: 1) { sku ${many(51, () => '@include(if: true)')} } }`,
      undefined,
      'LIMIT_COST',
    ],
    [
      'a multiplying answer',
      `{ customers(first: 100) { nodes ${'{ friends '.repeat(4)}{ id }${' }'.repeat(4)} } }`,
      undefined,
      'LIMIT_COST',
    ],
    [
      'fragments that multiply',
      `{ ...F0 } ${many(40, (index) => `fragment F${index} on Query { ...F${index + 1} ...F${index + 1} }`)} fragment F40 on Query { __typename }`,
      undefined,
      'LIMIT_COST',
    ],
    [
      'an endless fragment',
      '{ customer(id: 1) { ...A } } fragment A on Customer { friends { ...A } }',
      undefined,
      'GRAPHQL_VALIDATION_FAILED',
    ],
  ];
  it.each(cases)('refuses %s for the whole request with 400', async (_, query, variables, expected) => {
    const answer = await gateway.ask(query, { variables: variables ?? {} });
    expect([answer.status, answer.body.errors?.[0]?.extensions['code']]).toEqual([400, expected]);
    expect(answer.body.data).toBeUndefined();
    expect(answer.text).not.toMatch(/Did you mean|stacktrace/);
  });

  it.each([
    [{ id: { email: 'a@b.test' } }, 'Variable "$id" got an invalid value at "id"; ID cannot represent it.'],
    [
      { id: '1', ids: ['1', null] },
      'Variable "$ids" got an invalid value at "ids[1]"; Expected non-nullable type "ID!".',
    ],
    [{ id: '1', rows: 'a@b.test' }, 'Variable "$rows" got an invalid value at "rows"; Int cannot represent it.'],
  ])('says of %j what was expected and does not repeat the value', async (variables, message) => {
    const query =
      'query Q($id: ID!, $ids: [ID!] = [], $rows: Int) { customer(id: $id) { id } find(ids: $ids) { id } customers(first: $rows) { nodes { id } } }';
    const answer = await gateway.ask(query, { variables });
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toMatchObject([{ message, extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(answer.text).not.toContain('a@b.test');
  });

  it('names the argument of a list that is too long', async () => {
    const answer = await gateway.ask('{ customers(first: 1000) { nodes { id } } }');
    expect(answer.body.errors?.[0]).toMatchObject({
      message: 'Query.customers(first:) is 1000; it must be 1 to 100.',
      extensions: { argument: 'first' },
    });
  });

  it('accepts 100 rows and 200 keys', async () => {
    expect((await gateway.ask('{ customers(first: 100) { nodes { id } } }')).status).toBe(200);
    expect(
      (await gateway.ask('query Q($ids: [ID!]!) { find(ids: $ids) { id } }', { variables: { ids: skus(200) } })).status,
    ).toBe(200);
  });

  it('refuses an unknown operation name, an unnamed choice and a subscription', async () => {
    const two = 'query A { product(sku: 1) { sku } } query B { product(sku: 2) { sku } }';
    for (const answer of [await gateway.ask(two, { operationName: 'C' }), await gateway.ask(two)]) {
      expect([answer.status, answer.body.errors?.[0]?.extensions['code']]).toEqual([
        400,
        'OPERATION_RESOLUTION_FAILURE',
      ]);
    }
    expect((await gateway.ask(two, { operationName: 'B' })).body.data).toEqual({ product: { sku: '2' } });
    expect((await gateway.ask('subscription { x }')).status).toBe(400);
  });
});

describe('HTTP', () => {
  const post = async (payload: string, headers: Record<string, string> = {}) =>
    gateway.app.inject({
      method: 'POST',
      url: '/graphql',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${await issuer.issue()}`, ...headers },
      payload,
    });
  it.each([
    ['malformed JSON', '{', {}, 400, 'BAD_REQUEST'],
    ['no body', '', {}, 400, 'BAD_REQUEST'],
    ['null', 'null', {}, 400, 'BAD_REQUEST'],
    ['a batch', '[{"query":"{__typename}"}]', {}, 400, 'BAD_REQUEST'],
    ['a query that is no text', '{"query":1}', {}, 400, 'BAD_REQUEST'],
    ['a prototype in the body', '{"query":"{__typename}","__proto__":{"x":1}}', {}, 400, 'BAD_REQUEST'],
    ['variables that are no object', '{"query":"{__typename}","variables":[1]}', {}, 400, 'BAD_REQUEST'],
    [
      'another content type',
      'query=1',
      { 'content-type': 'application/x-www-form-urlencoded' },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    ['plain text', '{"query":"{__typename}"}', { 'content-type': 'text/plain' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    [
      'variables nested beyond all sense',
      `{"query":"{__typename}","variables":{"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`,
      {},
      400,
      'LIMIT_DEPTH',
    ],
    [
      'a mebibyte of nulls',
      `{"query":"query Q($ids: [ID!]!) { find(ids: $ids) { id } }","variables":{"ids":[${Array(200_000).fill('null').join(',')}]}}`,
      {},
      400,
      'LIMIT_LIST',
    ],
    ['more than 1 MiB', `{"query":"${'x'.repeat(1_048_577)}"}`, {}, 413, 'REQUEST_TOO_LARGE'],
    [
      'a wrong hash of a persisted query',
      '{"query":"{__typename}","extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}',
      {},
      400,
      'BAD_REQUEST',
    ],
    [
      'an unknown persisted query',
      '{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}',
      {},
      200,
      'PERSISTED_QUERY_NOT_FOUND',
    ],
  ])('answers %s with JSON and a code', async (...[, payload, headers, status, code]) => {
    const response = await post(payload, headers);
    expect(response.headers['content-type']).toMatch(/^application\/json/);
    expect([
      response.statusCode,
      response.json<{ errors: { extensions: { code: string } }[] }>().errors[0]?.extensions.code,
    ]).toEqual([status, code]);
  });

  it('bounds what a GET carries as JSON, too', async () => {
    const search = new URLSearchParams({ query: '{__typename}', variables: '['.repeat(2_000) });
    const headers = { authorization: `Bearer ${await issuer.issue()}`, 'apollo-require-preflight': '1' };
    const response = await gateway.app.inject({ method: 'GET', url: `/graphql?${search.toString()}`, headers });
    expect([response.statusCode, response.body]).toEqual([400, expect.stringContaining('LIMIT_DEPTH')]);
  });

  it.each([
    ['findings of a long list', 'query Q($ids: [ID!]!) { find(ids: $ids) { id } }', 'BAD_USER_INPUT'],
    ['errors of a document', `{ ${'x '.repeat(30)}}`, 'GRAPHQL_VALIDATION_FAILED'],
  ])('tells the first 25 %s', async (_, query, code) => {
    const { body } = await gateway.ask(query, { variables: { ids: Array(10_000).fill(null) } });
    expect(body.errors).toHaveLength(26);
    expect(body.errors?.[0]?.extensions['code']).toBe(code);
  });

  it('answers unknown paths and methods with JSON', async () => {
    const unknown = await gateway.app.inject({ method: 'GET', url: '/nope' });
    expect([unknown.statusCode, unknown.json()]).toMatchObject([
      404,
      { errors: [{ extensions: { code: 'NOT_FOUND' } }] },
    ]);
    const put = await gateway.app.inject({
      method: 'PUT',
      url: '/graphql',
      headers: { 'content-type': 'application/json' },
      payload: '{}',
    });
    expect([put.statusCode, put.headers['allow'], put.json()]).toMatchObject([
      405,
      'GET, POST',
      { errors: [{ extensions: { code: 'METHOD_NOT_ALLOWED' } }] },
    ]);
    expect((await gateway.app.inject({ method: 'GET', url: '/%zz' })).json()).toMatchObject({
      errors: [{ extensions: { code: 'BAD_REQUEST' } }],
    });
  });

  it('names its issuer, is alive, and is ready only when nothing is missing', async () => {
    const metadata = (await gateway.app.inject('/.well-known/oauth-protected-resource')).json<
      Record<string, unknown>
    >();
    expect(metadata).toMatchObject({ authorization_servers: [issuer.url], bearer_methods_supported: ['header'] });
    expect((await gateway.app.inject('/livez')).statusCode).toBe(200);
    expect((await gateway.app.inject('/readyz')).statusCode).toBe(200);
    const loading = await createFixtureGateway({
      issuer,
      graph: { readiness: () => ({ consentsImported: false, firstLoadDone: false }) },
    });
    const waiting = await loading.app.inject('/readyz');
    expect([waiting.statusCode, waiting.json()]).toMatchObject([
      503,
      { missing: ['past consents are being imported', 'the first load of the directories is running'] },
    ]);
    await loading.close();
  });

  it('has token routes for development clients over the sandbox only', async () => {
    expect((await gateway.app.inject('/graphiql/clients')).statusCode).toBe(404);
    const sandbox = await createFixtureGateway({ issuer, config: { sandbox: true } });
    expect((await sandbox.app.inject('/graphiql/clients')).json()).toMatchObject({
      clients: expect.arrayContaining([expect.objectContaining({ id: 'storefront' })]),
    });
    const unknown = await sandbox.app.inject({ method: 'POST', url: '/graphiql/token', payload: { client: 'nobody' } });
    expect([unknown.statusCode, unknown.body]).toEqual([400, expect.stringContaining('Known clients: storefront')]);
    await sandbox.close();
  });

  it('keeps tokens out of its log and counts requests by outcome', async () => {
    expect(gateway.logged.join('\n')).not.toMatch(/eyJ|Bearer/);
    const { text } = await gateway.metrics.render();
    expect(text).toMatch(/mortar_requests_total\{outcome="LIMIT_LIST"\} \d+/);
    expect(text).toContain('le="0.12"');
  });
});
