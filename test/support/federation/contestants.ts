import { ApolloGateway, type GraphQLDataSource } from '@apollo/gateway';
import {
  type DocumentNode,
  execute,
  getOperationAST,
  GraphQLError,
  type GraphQLSchema,
  buildSchema,
  parse,
  printSchema,
} from 'graphql';

import { stripSecurity } from '#gateway/composition.ts';
import { createEngine, type Engine } from '#gateway/executor/engine.ts';
import { createRequestNotices } from '#gateway/executor/request-notices.ts';
import type { SubgraphSource } from '#gateway/executor/subgraph-calls.ts';
import { systemClock } from '#platform/clock.ts';
import type { RequestContext } from '#schema/model/request.ts';
import { aRequestOf } from '#test/support/requests.ts';

type ResponsePath = readonly (string | number)[];

/** What an executor answered, as plain JSON. */
export interface Outcome {
  readonly data: unknown;
  /** Paths of `errors`; `(none)` for an error without one. */
  readonly paths: readonly string[];
  /** Paths the oracle tells beside its errors, for values that did not fit. */
  readonly told: readonly string[];
}

/** One operation for every contestant. */
export interface Question {
  readonly document: DocumentNode;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly key: string;
}

export interface Contestant {
  readonly ask: (question: Question) => Promise<Outcome>;
}

/** A contestant that can also be timed: its answer as it leaves the executor. */
export interface Runner extends Contestant {
  readonly run: (question: Question) => Promise<unknown>;
}

export function question(text: string, variables: Readonly<Record<string, unknown>> = {}): Question {
  return { document: parse(text), variables, key: text };
}

const toText = (path: ResponsePath | null | undefined): string => (path ?? ['(none)']).join('.');
const plain = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));
const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** Our engine over these subgraphs, for a caller with every right. */
export async function ourContestant(
  supergraphSdl: string,
  subgraphs: readonly SubgraphSource[],
  requestOf: () => RequestContext = aRequestOf,
): Promise<Runner & { readonly engine: Engine; readonly apiSchema: GraphQLSchema }> {
  const engine = createEngine({
    supergraphSdl,
    subgraphs,
    clock: systemClock,
    fetchMs: 10_000,
    observeFetch: () => undefined,
    logger: silent,
  });
  const schemas: GraphQLSchema[] = [];
  engine.onLoad((graph) => void schemas.push(graph.apiSchema));
  await engine.load();
  const run = ({ document, variables, key }: Question) => {
    const request = requestOf();
    const { principal, purpose } = request;
    return engine.execute({
      document,
      queryHash: key,
      operationName: undefined,
      variables,
      context: { caller: { principal, purpose, request }, notices: createRequestNotices(principal.role) },
    });
  };
  const ask: Contestant['ask'] = async (asked) => {
    const answer = await run(asked);
    const data = answer.kind === 'answered' ? plain(answer.data) : undefined;
    return { data, paths: answer.errors.map(({ path }) => toText(path)), told: [] };
  };
  const [apiSchema] = schemas;
  if (apiSchema === undefined) throw new Error('the engine told no schema');
  return { ask, run, engine, apiSchema };
}

/** @apollo/gateway over the same subgraphs: the oracle. */
export async function apolloContestant(
  supergraphSdl: string,
  subgraphs: readonly SubgraphSource[],
  sourceOf: (source: SubgraphSource) => GraphQLDataSource = dataSource,
): Promise<Runner & { readonly stop: () => Promise<void> }> {
  // Without it the gateway opens sockets of its own.
  process.env['APOLLO_TELEMETRY_DISABLED'] = 'true';
  const gateway = new ApolloGateway({
    supergraphSdl: stripSecurity(supergraphSdl),
    buildService: ({ name }) => {
      const source = subgraphs.find((subgraph) => subgraph.name === name);
      if (source === undefined) throw new Error('a subgraph is missing');
      return sourceOf(source);
    },
    queryPlannerConfig: { exposeDocumentNodeInFetchNode: true, debug: { maxEvaluatedPlans: 500 } },
    logger: silent,
  });
  const { executor } = await gateway.load();
  const run = ({ document, variables, key }: Question) => {
    const request = {
      document,
      request: { query: key, variables },
      queryHash: key,
      operation: getOperationAST(document),
      operationName: null,
      context: { request: aRequestOf() },
      logger: silent,
      metrics: {},
    };
    // Of the request's many facts the executor reads these.
    return executor(request as unknown as Parameters<typeof executor>[0]);
  };
  const ask: Contestant['ask'] = async (asked) => {
    const answer = await run(asked);
    const told: unknown = answer.extensions?.['valueCompletion'];
    return {
      data: plain(answer.data),
      paths: (answer.errors ?? []).map(({ path }) => toText(path)),
      told: Array.isArray(told)
        ? told.map((error: unknown) => toText(error instanceof GraphQLError ? error.path : null))
        : [],
    };
  };
  return { ask, run, stop: () => gateway.stop() };
}

function dataSource(source: SubgraphSource): GraphQLDataSource {
  return {
    process: async (options) => {
      const { query, variables = {}, operationName } = options.request;
      const text = query ?? '';
      const document: DocumentNode = ('document' in options ? options.document : undefined) ?? parse(text);
      // Put there by apolloContestant.
      const { request } = options.context as { readonly request: RequestContext };
      const result = await source.execute({
        document,
        text,
        variables,
        operationName,
        request,
        deadlineAtMs: request.deadlineAtMs,
        // @apollo/gateway has no way to stop.
        waiting: { isOver: false, onOver: null },
      });
      const errors = [...result.errors];
      return { data: result.data ?? null, ...(errors.length === 0 ? {} : { errors }) };
    },
  };
}

/** The API schema executed by graphql itself over the very same values. */
export function truthContestant(
  apiSchema: GraphQLSchema,
  bind: (schema: GraphQLSchema) => GraphQLSchema,
  typeResolver: (value: unknown) => string | undefined,
): Contestant {
  const schema = bind(buildSchema(printSchema(apiSchema)));
  return {
    ask: async ({ document, variables }) => {
      const result = await execute({ schema, document, variableValues: variables, typeResolver, rootValue: {} });
      return { data: plain(result.data), paths: (result.errors ?? []).map(({ path }) => toText(path)), told: [] };
    },
  };
}
