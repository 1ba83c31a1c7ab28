import type { ApolloServerOptionsWithGateway } from '@apollo/server';
import { type DocumentNode, getOperationAST, type GraphQLSchema } from 'graphql';

import { groupErrors, scopeErrors } from './answer-errors.ts';
import type { GatewayContext } from './context.ts';
import type { Engine } from './engine.ts';
import type { OperationAnswer } from './run-operation.ts';
import { createSchemaState, type SchemaState } from './schema-state.ts';
import { denialOf, type Denial } from '#gateway/auth/coordinate-policy.ts';
import { type AnsweredDocument, promoteDenied } from '#gateway/auth/promote-denied.ts';
import { type PrunedDocument, restoreDenied, selectedDenials } from '#gateway/auth/static-authorization.ts';
import { requestError } from '#gateway/http/request-error.ts';
import { readPolicy } from '#gateway/policy.ts';
import { isLong, nextTurn } from '#platform/turns.ts';

/** The seam between Apollo Server and the federation engine, so that the engine can be replaced. */
type GatewayInterface = ApolloServerOptionsWithGateway<GatewayContext>['gateway'];
type Executor = NonNullable<Awaited<ReturnType<GatewayInterface['load']>>['executor']>;
type ExecutorRequest = Parameters<Executor>[0];
/** `data` undefined: nothing was executed. */
export type GovernedResult = Awaited<ReturnType<Executor>>;

/** A validated and admitted operation of one caller. */
export interface GovernedRequest {
  readonly document: DocumentNode;
  readonly queryHash: string;
  readonly schema: GraphQLSchema;
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly context: GatewayContext;
}

export interface GovernedGateway {
  readonly gateway: GatewayInterface;
  /** The same without Apollo Server. @throws {GraphQLError} before anything is fetched: LIMIT_COST and the like */
  readonly execute: (request: GovernedRequest) => Promise<GovernedResult>;
  /** What belongs to an API schema that was loaded; null: none such. */
  readonly stateOf: (schema: GraphQLSchema) => SchemaState | null;
}

/**
 * The engine behind our own door: what a caller may statically not read is pruned before planning, and the answer comes
 * back with nulls in place, errors grouped and notices aggregated into `extensions`.
 */
export function createGovernedGateway(engine: Engine): GovernedGateway {
  // Apollo Server reads the schema once a request: by it a request finds the same rules from its first step to its last.
  const states = new WeakMap<GraphQLSchema, SchemaState>();

  const execute = async (request: GovernedRequest): Promise<GovernedResult> => {
    const { document, queryHash, schema, operationName, variables, context } = request;
    const startedAtMs = performance.now();
    const state = states.get(schema);
    if (state === undefined) throw requestError('OVERLOADED');
    const denials = denialsOf(state, request);
    for (const { kind, coordinate } of denials)
      context.trace?.deny(coordinate, kind === 'SCOPE' ? 'SCOPE_REQUIRED' : 'PURPOSE_NOT_ALLOWED');
    let asked: Pick<PrunedDocument, 'document' | 'queryHash'> = { document, queryHash };
    if (denials.length > 0) {
      const pruned = state.prune(queryHash, document, denials);
      forbidSelected(pruned, request);
      asked = pruned;
    }
    const run = { document: asked.document, queryHash: asked.queryHash, operationName, variables, context, schema };
    const { owners } = engine.graph(schema);
    if (isLong(startedAtMs)) await nextTurn();
    return finish(await engine.execute(run), { denials, context, owners, asked: { schema, document, operationName } });
  };

  const gateway: GatewayInterface = {
    load: async () => {
      await engine.load();
      return { executor: (request) => execute(toGoverned(request)) };
    },
    onSchemaLoadOrUpdate: (callback) =>
      engine.onLoad(({ apiSchema, supergraphSdl }) => {
        states.set(apiSchema, createSchemaState(apiSchema, readPolicy(supergraphSdl)));
        callback({ apiSchema, coreSupergraphSdl: supergraphSdl });
      }),
    stop: engine.close,
  };
  return { gateway, execute, stateOf: (schema) => states.get(schema) ?? null };
}

function toGoverned({ document, queryHash, schema, request, context }: ExecutorRequest): GovernedRequest {
  const { operationName, variables = {} } = request;
  // Apollo Server passes on the context value we gave it; its gateway types know only an untyped one.
  return { document, queryHash, schema, operationName, variables, context: context as unknown as GatewayContext };
}

/** What is refused to everybody in this role is no secret: it is told although no row may come back. */
function forbidSelected(pruned: PrunedDocument, { operationName, variables, context }: GovernedRequest): void {
  const { caller, notices } = context;
  for (const { kind, coordinate } of selectedDenials(pruned, operationName, variables)) {
    if (kind === 'PURPOSE') notices.forbid({ coordinate, purpose: caller?.purpose ?? null });
  }
}

function denialsOf(state: SchemaState, { document, queryHash, operationName, context }: GovernedRequest) {
  const { caller } = context;
  const operation = getOperationAST(document, operationName);
  if (caller === null || operation === null || operation === undefined) return [];
  const { ruled } = state.factsOf(queryHash, document, operation);
  return ruled.flatMap((coordinate) => denialOf(coordinate, state.policy.fields, caller) ?? []);
}

interface Finishing {
  readonly denials: readonly Denial[];
  readonly context: GatewayContext;
  readonly owners: ReadonlyMap<string, string>;
  readonly asked: AnsweredDocument;
}

function finish(answer: OperationAnswer, { denials, context, owners, asked }: Finishing): GovernedResult {
  // Apollo Server recognizes errors of variables by their nodes.
  if (answer.kind === 'refused') return { errors: answer.errors };
  const { caller, notices } = context;
  const { data, cells } = denials.length === 0 ? { data: answer.data, cells: [] } : restoreDenied(answer.data, denials);
  for (const { denial, path } of cells) {
    if (denial.kind !== 'PURPOSE') continue;
    const rowKey = path.slice(0, -1).join('.');
    const purpose = caller?.purpose ?? null;
    notices.refuse({ coordinate: denial.coordinate, purpose, reason: 'PURPOSE_NOT_ALLOWED', rowKey }, path);
  }
  const errors = groupErrors([...answer.errors, ...scopeErrors(cells, owners)]);
  const consent = notices.consent();
  const provenance = notices.provenance();
  return {
    // It keeps the shape of the answer it was given; Apollo Server takes null as well.
    data: promoteDenied(data, cells, asked) as NonNullable<GovernedResult['data']>,
    ...(errors.length === 0 ? {} : { errors }),
    extensions: {
      ...(consent.length === 0 ? {} : { consent }),
      ...(provenance.length === 0 ? {} : { provenance }),
    },
  };
}
