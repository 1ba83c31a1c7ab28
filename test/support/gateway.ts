import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GraphQLSchema, print } from 'graphql';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

import { composeSubgraphs } from '#gateway/composition.ts';
import { claimNames, limitsConfig, type Config } from '#gateway/config-schema.ts';
import type { Graph } from '#gateway/graph.ts';
import { createGatewayServer } from '#gateway/http/gateway-server.ts';
import { type Changes, createChanges } from '#platform/changes.ts';
import { type Clock, systemClock } from '#platform/clock.ts';
import { defineSubgraph } from '#platform/define-subgraph.ts';
import { MortarError } from '#platform/errors.ts';
import type { Logger } from '#platform/log.ts';
import { createMetrics } from '#platform/metrics.ts';
import type { DegradedSource, Subgraph, SubgraphContext } from '#platform/subgraph.ts';
import type { ConsentDeciders, Verdict } from '#schema/model/consent.ts';
import { retailConfig } from '#schema/model/configuration.ts';
import { toSubjectId } from '#schema/model/ids.ts';
import type { RequestContext } from '#schema/model/request.ts';

// The engine reads it when it is constructed, as in gateway/main.ts.
process.env['APOLLO_TELEMETRY_DISABLED'] = 'true';

export const AUDIENCE = 'mortar-test';

/** An issuer with its own key on a loopback port: discovery, JWKS, and tokens with any claims. */
export async function startTestIssuer() {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' };
  let url = '';
  let keyReads = 0;
  const server = createServer((request, response) => {
    const keys = request.url === '/jwks';
    if (keys) keyReads += 1;
    const body = keys ? { keys: [jwk] } : { issuer: url, jwks_uri: `${url}/jwks`, token_endpoint: `${url}/token` };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A listening TCP server has an address with a port.
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  /** Header and claims may be overridden; `undefined` leaves one out. */
  const issue = (claims: Readonly<Record<string, unknown>> = {}, header: Readonly<Record<string, unknown>> = {}) =>
    new SignJWT({
      iss: url,
      aud: AUDIENCE,
      sub: 'associate',
      client_id: 'associate',
      role: 'associate',
      scope: 'catalog:read customers:read',
      purposes: ['SERVICE_SUPPORT', 'PERSONALIZATION'],
      exp: Math.floor(Date.now() / 1000) + 60,
      ...claims,
    })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1', typ: 'at+jwt', ...header })
      .sign(privateKey);
  const close = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return { url, publicJwk: jwk, issue, keyReads: () => keyReads, close, [Symbol.asyncDispose]: close };
}
export type TestIssuer = Awaited<ReturnType<typeof startTestIssuer>>;

const PEOPLE_SDL = `
"Root." type Query @owner(team: "t") {
  "One." customer(id: ID!): Customer @requiresScopes(scopes: [["customers:read"]])
  "All." customers(first: Int = 20): CustomerConnection
    @requiresScopes(scopes: [["customers:read"]]) @listSize(slicingArguments: ["first"], sizedFields: ["nodes"], requireOneSlicingArgument: false)
  "Open." find(ids: [ID!]!): [Customer!]
}
"Root." type Subscription @owner(team: "t") {
  "One, live." customerChanged(id: ID!): Customer
    @live(query: "customer", keys: "id") @requiresScopes(scopes: [["customers:read"]])
  "Some, live." found(ids: [ID!]!): [Customer!] @live(query: "find", keys: "ids")
}
"Page." type CustomerConnection @owner(team: "t") { "Rows." nodes: [Customer!]! }
"Person." type Customer @key(fields: "id") @subject(path: "subjects") @owner(team: "t") {
  "Id." id: ID! @publicData
  "Name." name: String @personalData(category: "identity.name", purposes: ["SERVICE_SUPPORT", "MARKETING"])
  "Mail." email: String @personalData(category: "contact.email", purposes: ["SERVICE_SUPPORT", "MARKETING"]) @requiresScopes(scopes: [["customers:read"]])
  "Friends." friends: [Customer!] @publicData
}
`;
const SHOP_SDL = `
"Root." type Query @owner(team: "t") {
  "One." product(sku: ID!): Product
  "Fails." broken: Product
  "Never answers." slow: Product
}
"Root." type Mutation @owner(team: "t") { "Writes." rename(id: ID!, name: String): Customer @requiresScopes(scopes: [["customers:write"]]) }
"Item." type Product @key(fields: "sku") @owner(team: "t") { "Sku." sku: ID! "Title." title: String "Stock." stock: Int }
"Person." type Customer @key(fields: "id") { "Id." id: ID! "Points." points: Int "Secret." notes: String @requiresScopes(scopes: [["privacy:admin"]]) }
`;

/** What a test changes in the fixture graph; read at every request. */
export interface FixtureBehavior {
  verdict: (subject: string) => Verdict;
  /** Of Customer.points. */
  points: (id: string, request: RequestContext) => unknown;
  readonly fetches: { readonly subgraph: string; readonly text: string }[];
  degraded: DegradedSource | null;
  /** Who is told what changed, by id. */
  readonly changes: Changes;
}

/** Everything is allowed and nothing fails, unless said otherwise. */
export function aFixtureBehavior(over: Partial<FixtureBehavior> = {}): FixtureBehavior {
  return {
    verdict: () => ({ allowed: true }),
    points: (id) => Number(id) * 10,
    fetches: [],
    degraded: null,
    changes: createChanges({ key: new Uint8Array(32) }),
    ...over,
  };
}

/** Two subgraphs over three people: enough for every rule of the gateway. */
export function createFixtureSubgraphs(behavior: FixtureBehavior): readonly Subgraph[] {
  const deciders: ConsentDeciders = {
    forFetch: () => ({ decide: (_field, subjects) => Promise.resolve(behavior.verdict(subjects[0] ?? '')) }),
  };
  const person = (id: string): Record<string, unknown> => ({
    __typename: 'Customer',
    id,
    name: `name-${id}`,
    email: `mail-${id}`,
    subjects: [toSubjectId(`sub_${id}`)],
    friends: () => [person('9')],
  });
  const common = { createLoaders: () => ({}), deciders };
  const people = defineSubgraph({
    ...common,
    name: 'people',
    typeDefs: PEOPLE_SDL,
    resolvers: {
      Query: {
        customer: (_row: unknown, { id }: { id: string }) => person(id),
        customers: () => ({ nodes: ['1', '2', '3'].map(person) }),
        find: (_row: unknown, { ids }: { ids: string[] }) => ids.map(person),
      },
      Customer: { __resolveReference: ({ id }: { id: string }) => person(id) },
    },
    sources: {
      customerChanged: ({ arguments: { id }, onChange }) => behavior.changes.watch('customer', [String(id)], onChange),
      found: ({ arguments: { ids }, onChange }) =>
        behavior.changes.watch('customer', (ids as unknown[]).map(String), onChange),
    },
  });
  const shop = defineSubgraph({
    ...common,
    name: 'shop',
    typeDefs: SHOP_SDL,
    resolvers: {
      Query: {
        product: (_row: unknown, { sku }: { sku: string }) => ({ sku, title: `title-${sku}`, stock: 3 }),
        broken: () => {
          throw new MortarError('UPSTREAM_UNAVAILABLE', {
            system: 'erp',
            message: 'http://secret.internal said SELECT 1',
          });
        },
        slow: () => new Promise(() => undefined),
      },
      Mutation: { rename: (_row: unknown, { id }: { id: string }) => ({ id }) },
      Product: { __resolveReference: ({ sku }: { sku: string }) => ({ sku }) },
      Customer: {
        __resolveReference: ({ id }: { id: string }) => ({ id }),
        points: (
          { id }: { id: string },
          _arguments: unknown,
          context: SubgraphContext,
          info: { path: { key: string | number; prev: unknown } },
        ) => {
          if (behavior.degraded !== null) context.notices.degrade({ ...behavior.degraded, path: pathOf(info.path) });
          return behavior.points(id, context.request);
        },
        notes: () => 'secret-notes',
      },
    },
  });
  return [people, shop].map((subgraph) => recorded(subgraph, behavior));
}

function pathOf(path: unknown): (string | number)[] {
  const keys: (string | number)[] = [];
  for (
    let step = path as { key: string | number; prev: unknown } | undefined;
    step !== undefined;
    step = step.prev as typeof step
  )
    keys.unshift(step.key);
  return keys;
}

function recorded(subgraph: Subgraph, behavior: FixtureBehavior): Subgraph {
  return {
    ...subgraph,
    execute: (fetch) => {
      // Placeholders of pruned fields keep the client's response key; only what is really asked counts.
      behavior.fetches.push({ subgraph: subgraph.name, text: print(fetch.document).replaceAll(/__deny_\w+/g, '') });
      return subgraph.execute(fetch);
    },
  };
}

export interface FixtureOptions {
  readonly issuer: TestIssuer;
  readonly config?: Partial<Config>;
  readonly limits?: object;
  readonly clock?: Clock;
  readonly wrap?: (subgraph: Subgraph) => Subgraph;
  readonly graph?: Partial<Graph>;
  /** @default composed of the fixture's subgraphs */
  readonly supergraphSdl?: string;
}

/** A subgraph of any supergraph that answers nothing: for what happens before a fetch. */
export function aSilentSubgraph(name: string, schema = new GraphQLSchema({})): Subgraph {
  const execute: Subgraph['execute'] = () => Promise.resolve({ data: {}, errors: [], refusals: [], degraded: [] });
  const watch: Subgraph['watch'] = () => Promise.reject(new MortarError('OPERATION_RESOLUTION_FAILURE'));
  return { name, sdl: '', schema, execute, watch };
}

/** The whole gateway over the fixture subgraphs, not listening: ask through `app.inject`. */
export async function createFixtureGateway(options: FixtureOptions) {
  const behavior = aFixtureBehavior();
  const subgraphs = createFixtureSubgraphs(behavior);
  const logged: string[] = [];
  const log = (level: string) => (fields: object, message: string) =>
    void logged.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const logger: Logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
  const config: Config = {
    issuer: { url: options.issuer.url, audience: AUDIENCE, claims: claimNames.parse({}) },
    systems: [],
    role: { kind: 'all', supergraphFile: null },
    subgraphs: [],
    retail: retailConfig.parse({ channels: [], authorities: [] }),
    imports: { consents: [] },
    limits: limitsConfig.parse(options.limits ?? {}),
    production: false,
    home: '.',
    host: '127.0.0.1',
    port: 0,
    metricsPort: 0,
    databaseUrl: null,
    databaseFile: ':memory:',
    redisUrl: null,
    logLevel: 'silent',
    sandbox: false,
    waitForFirstLoad: true,
    keyVariables: {},
    ...options.config,
  };
  const graph: Graph = {
    subgraphs: subgraphs.map((subgraph) => options.wrap?.(subgraph) ?? subgraph),
    systems: () => [
      { id: 'erp', connector: 'erp-business-central', url: 'http://127.0.0.1:1', state: 'UP', lagSeconds: 4 },
    ],
    readiness: () => ({ consentsImported: true, firstLoadDone: true }),
    loadProgress: () => ({ done: true, feeds: [] }),
    close: () => Promise.resolve(),
    ...options.graph,
  };
  const metrics = createMetrics({ systems: async () => (await graph.systemStatus?.()) ?? [] });
  const supergraphSdl = options.supergraphSdl ?? composeSubgraphs(subgraphs);
  const gateway = await createGatewayServer({
    config,
    graph,
    supergraphSdl,
    clock: options.clock ?? systemClock,
    logger,
    metrics,
  });

  /** Posts a document; `token: null` sends none. */
  const ask = async (
    query: string,
    more: { token?: string | null; headers?: Record<string, string>; variables?: object; operationName?: string } = {},
  ) => {
    const token = more.token === undefined ? await options.issuer.issue() : more.token;
    const response = await gateway.app.inject({
      method: 'POST',
      url: '/graphql',
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        'mortar-purpose': 'SERVICE_SUPPORT',
        ...more.headers,
      },
      payload: { query, variables: more.variables, operationName: more.operationName },
    });
    return {
      status: response.statusCode,
      headers: response.headers,
      text: response.body,
      body: response.json<Answer>(),
    };
  };
  return { ...gateway, ask, behavior, metrics, logged, [Symbol.asyncDispose]: gateway.close };
}

export interface Answer {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions: Record<string, unknown>;
  }[];
  readonly extensions: Record<string, unknown>;
}
