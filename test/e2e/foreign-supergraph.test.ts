import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { askGateway, composed } from '#test/support/foreign-graph.ts';
import { type ForeignSubgraph, serveForeignSubgraph } from '#test/support/foreign-subgraph.ts';
import { type LoneGateway, startLoneGateway } from '#test/support/lone-gateway.ts';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@override",
  "@external", "@requires", "@interfaceObject", "@tag", "@inaccessible", "@authenticated", "@requiresScopes", "@cost", "@listSize"])`;

const BOOKS = `${LINK} schema { query: Root mutation: Change subscription: Events }
  scalar Isbn
  scalar Margin @requiresScopes(scopes: [["finance:read"]])
  enum Kind { PAPER DIGITAL SECRET @inaccessible }
  interface Media @key(fields: "id") { id: ID! title: String }
  type Root {
    books(kind: Kind = PAPER): [Book!]! media: [Media] hidden: Int @inaccessible members: [Member!] totals: Totals! many: [Book] @listSize(assumedSize: 100000)
  }
  type Change { rename(id: ID!, title: String!): Book }
  type Events { renamed: Book }
  type Book implements Media @key(fields: "id") {
    id: ID! @tag(name: "public") title: String isbn: Isbn price: Int size: Size @shareable
    cost: Int! @requiresScopes(scopes: [["finance:read"], ["owner"]]) margin: Margin
  }
  type Member @authenticated @key(fields: "id") { id: ID! name: String }
  type Totals @requiresScopes(scopes: [["finance:read", "audit:read"]]) { amount: Int }
  type Size @shareable { cm: Float }`;
const SHOP = `${LINK} type Query { best: Book } scalar Isbn type Size @shareable { cm: Float }
  type Book @key(fields: "id") {
    id: ID! price: Int @override(from: "books") isbn: Isbn @external label: String @requires(fields: "isbn") size: Size @shareable broken: Int
  }`;
const RATINGS = `${LINK} type Media @key(fields: "id") @interfaceObject { id: ID! stars: Int }`;

const book = (id: string) => ({
  __typename: 'Book',
  id,
  title: `title-${id}`,
  isbn: { code: id },
  cost: 5,
  margin: 7,
  size: { cm: 21.5 },
});
const booksResolvers = {
  Root: {
    books: () => [book('1'), book('2')],
    media: () => [book('1')],
    members: () => [{ id: 'm', name: 'Ada' }],
    totals: () => ({ amount: 9 }),
  },
  Change: { rename: (_: unknown, { id, title }: { id: string; title: string }) => ({ ...book(id), title }) },
  Book: { __resolveReference: ({ id }: { id: string }) => book(id) },
};
const shopResolvers = {
  Query: { best: () => ({ id: '2' }) },
  Book: {
    __resolveReference: (reference: object) => reference,
    price: () => 12,
    label: ({ isbn }: { isbn: { code: string } }) => `label ${isbn.code}`,
    size: () => ({ cm: 21.5 }),
    broken: () => {
      throw new Error('SELECT * FROM secrets');
    },
  },
};
const ratingsResolvers = { Media: { __resolveReference: ({ id }: { id: string }) => ({ id }), stars: () => 4 } };

describe('a gateway over a supergraph of others', () => {
  let started: AsyncDisposableStack;
  let gateway: LoneGateway;
  let shop: ForeignSubgraph;
  let supergraphSdl: string;
  beforeAll(async () => {
    started = new AsyncDisposableStack();
    const books = started.use(await serveForeignSubgraph({ sdl: BOOKS, resolvers: booksResolvers }));
    shop = started.use(await serveForeignSubgraph({ sdl: SHOP, resolvers: shopResolvers }));
    const ratings = started.use(await serveForeignSubgraph({ sdl: RATINGS, resolvers: ratingsResolvers }));
    supergraphSdl = composed([
      { name: 'books', url: books.url, sdl: BOOKS },
      { name: 'shop', url: shop.url, sdl: SHOP },
      { name: 'ratings', url: ratings.url, sdl: RATINGS },
    ]);
    gateway = started.use(await startLoneGateway({ supergraphSdl }));
  }, 60_000);
  afterAll(() => started.disposeAsync());

  it('answers over all of them: renamed roots, custom scalars, taken-over fields, requirements, interface objects', async () => {
    const query = `{ books(kind: DIGITAL) { id isbn price label size { cm } stars } best { title } media { __typename title stars } __typename }`;
    const row = (id: string) => ({
      id,
      isbn: { code: id },
      price: 12,
      label: `label ${id}`,
      size: { cm: 21.5 },
      stars: 4,
    });
    expect(await askGateway(gateway, query)).toMatchObject({
      status: 200,
      data: {
        books: [row('1'), row('2')],
        best: { title: 'title-2' },
        media: [{ __typename: 'Book', title: 'title-1', stars: 4 }],
        __typename: 'Query',
      },
    });
    const rename = 'mutation($title: String!) { rename(id: "1", title: $title) { title price } }';
    const renamed = await askGateway(gateway, rename, { variables: { title: 'new' } });
    expect(renamed.data).toEqual({ rename: { title: 'new', price: 12 } });
  });

  it.each(['{ hidden }', '{ books(kind: SECRET) { id } }', 'subscription { renamed { id } }'])(
    'answers nothing that is inaccessible or has no stream: %s',
    async (query) => {
      const { data, errors } = await askGateway(gateway, query);
      expect([data ?? null, errors?.length]).toEqual([null, 1]);
    },
  );

  it('asks everybody for a token, and fields, types and scalars for their scopes', async () => {
    const query = '{ books { id cost } }';
    expect(await askGateway(gateway, query, { scope: null })).toMatchObject({ status: 401 });
    expect(await askGateway(gateway, '{ members { name } }', { scope: null })).toMatchObject({ status: 401 });
    expect((await askGateway(gateway, '{ members { name } }')).data).toEqual({ members: [{ name: 'Ada' }] });
    expect((await askGateway(gateway, query, { scope: 'catalog:read owner' })).data).toMatchObject({
      books: [{ cost: 5 }, {}],
    });
    // `cost` and `totals` are never null: what holds them goes.
    const open = '{ best { id title } media { ... on Book { id margin } } list: books { id } }';
    expect(await askGateway(gateway, open)).toMatchObject({
      data: { best: { title: 'title-2' }, media: [{ id: '1', margin: null }], list: [{ id: '1' }, { id: '2' }] },
      errors: [{ path: ['media', 0, 'margin'], extensions: { code: 'SCOPE_REQUIRED', scopes: [['finance:read']] } }],
    });
    expect(await askGateway(gateway, '{ best { cost } media { title } }')).toMatchObject({
      data: { best: null, media: [{ title: 'title-1' }] },
      errors: [
        { path: ['best', 'cost'], extensions: { code: 'SCOPE_REQUIRED', scopes: [['finance:read'], ['owner']] } },
      ],
    });
    expect(
      (await askGateway(gateway, '{ totals { amount } best { id } }', { scope: 'catalog:read finance:read' })).data,
    ).toBeNull();
    const both = await askGateway(gateway, '{ totals { amount } }', { scope: 'catalog:read finance:read audit:read' });
    expect(both.data).toEqual({ totals: { amount: 9 } });
  });

  it('counts the list sizes it states', async () => {
    const { errors } = await askGateway(gateway, '{ many { id } }');
    expect(errors).toMatchObject([{ extensions: { code: 'LIMIT_COST' } }]);
  });

  it('tells errors of a subgraph at their paths, without its words, and the subgraph nothing of the caller', async () => {
    const { data, errors } = await askGateway(gateway, '{ books { id broken } }');
    expect(data).toEqual({
      books: [
        { id: '1', broken: null },
        { id: '2', broken: null },
      ],
    });
    expect(errors).toMatchObject([
      { path: ['books', 0, 'broken'], extensions: { serviceName: 'shop', occurrences: 2 } },
    ]);
    expect(JSON.stringify(errors)).not.toContain('SELECT');
    for (const headers of shop.headers) {
      expect(Object.keys(headers).filter((name) => /authorization|mortar|cookie/.test(name))).toEqual([]);
      expect(headers['x-request-id']).toMatch(/^[\w.:-]+$/);
    }
  });

  it.each([
    ['a page', '<!doctype html><html></html>', 'it is not GraphQL'],
    ['30 MB', `# ${'x'.repeat(30_000_000)}`, 'it is larger than 8 MiB'],
    ['a plain schema', 'type Query { a: Int }', 'it is no supergraph'],
    [
      'federation 1',
      'schema @core(feature: "https://specs.apollo.dev/join/v0.1") { query: Query } type Query { a: Int }',
      'it is of federation 1',
    ],
    [
      'an address that is none',
      () => supergraphSdl.replace(/url: "http:[^"]*"/, 'url: "file:///etc/passwd"'),
      'is not an http or https URL',
    ],
    [
      'an address with a password',
      () => supergraphSdl.replace('url: "http://', 'url: "http://me:secret@'),
      'holds a password',
    ],
  ] as const)(
    'refuses %s, serves on, and says so',
    async (_, bad, reason) => {
      const { id } = await gateway.graph();
      gateway.replace(typeof bad === 'string' ? bad : bad());
      const state = await gateway.until(({ refused }) => refused !== null);
      expect(state.id).toBe(id);
      await expect.poll(gateway.run.stderr).toContain(reason);
      expect((await askGateway(gateway, '{ best { title } }')).data).toEqual({ best: { title: 'title-2' } });
      gateway.replace(supergraphSdl);
      await gateway.until(({ refused }) => refused === null);
      expect((await gateway.graph()).id).toBe(id);
    },
    30_000,
  );

  it('reads the file on SIGHUP', async () => {
    const { id } = await gateway.graph();
    gateway.replace('no graph');
    await gateway.until(({ refused }) => refused !== null);
    const lines = () => gateway.run.stderr().split('a supergraph was refused').length;
    const before = lines();
    process.kill(gateway.run.pid, 'SIGHUP');
    await expect.poll(lines, { timeout: 10_000 }).toBeGreaterThan(before);
    expect((await gateway.graph()).id).toBe(id);
  });
});

describe('a subgraph of others with an entry in the configuration', () => {
  it('has the address, the time, the headers and the caller’s token it says', async () => {
    const sdl = `${LINK} type Query { fast: Int }`;
    const slowSdl = `${LINK} type Query { slow: Int }`;
    await using fast = await serveForeignSubgraph({ sdl, resolvers: { Query: { fast: () => 1 } } });
    await using slow = await serveForeignSubgraph({ sdl: slowSdl, resolvers: {}, delayMs: 2_000 });
    const elsewhere = 'http://127.0.0.1:1/graphql';
    await using gateway = await startLoneGateway({
      supergraphSdl: composed([
        { name: 'fast', url: elsewhere, sdl },
        { name: 'slow', url: slow.url, sdl: slowSdl },
      ]),
      subgraphs: [
        `{ name: fast, url: '${fast.url}', trust: token, headers: { x-api-key: '\${FAST_KEY}' } }`,
        '{ name: slow, fetchMs: 100 }',
      ],
      environment: { FAST_KEY: 'key-1' },
    });
    const { data, errors } = await askGateway(gateway, '{ fast slow }');
    expect(data).toEqual({ fast: 1, slow: null });
    expect(errors).toMatchObject([{ path: ['slow'], extensions: { code: 'DEADLINE_EXCEEDED', serviceName: 'slow' } }]);
    expect(fast.headers[0]).toMatchObject({
      'x-api-key': 'key-1',
      authorization: expect.stringMatching(/^Bearer ey/),
    });
    expect(slow.headers[0]).not.toHaveProperty('authorization');
  }, 30_000);
});
