import type { ApolloServerOptionsWithGateway } from '@apollo/server';
import { GraphQLError, getOperationAST } from 'graphql';

import { completionErrors, groupErrors, scopeErrors } from './answer-errors.ts';
import type { GatewayContext } from './context.ts';
import { createSchemaState, type SchemaState } from './schema-state.ts';
import { denialOf, type Denial } from '#gateway/auth/coordinate-policy.ts';
import { type PrunedDocument, restoreDenied, selectedDenials } from '#gateway/auth/static-authorization.ts';
import { readPolicy } from '#gateway/policy.ts';
import { readOwners } from '#gateway/supergraph.ts';

/** The seam between Apollo Server and the federation engine, so that the engine can be replaced. */
export type GatewayInterface = ApolloServerOptionsWithGateway<GatewayContext>['gateway'];
type Executor = NonNullable<Awaited<ReturnType<GatewayInterface['load']>>['executor']>;
type ExecutorRequest = Parameters<Executor>[0];
type ExecutorResult = Awaited<ReturnType<Executor>>;

export interface GovernedGateway {
  readonly gateway: GatewayInterface;
  /** The loaded schema; null before loading. */
  readonly current: () => SchemaState | null;
}

/**
 * The engine behind our own door: what a caller may statically not read is pruned before planning, and the answer comes
 * back with nulls in place, errors grouped and notices aggregated into `extensions`.
 */
export function createGovernedGateway(engine: GatewayInterface): GovernedGateway {
  let state: SchemaState | null = null;
  let owners: ReadonlyMap<string, string> = new Map();

  const execute = async (run: Executor, request: ExecutorRequest): Promise<ExecutorResult> => {
    // Apollo Server passes on the context value we gave it; its gateway types know only an untyped one.
    const context = request.context as unknown as GatewayContext;
    const denials = state === null ? [] : denialsOf(state, request, context);
    if (state === null || denials.length === 0) return finish(await run(request), [], context, owners);
    const pruned = state.prune(request.queryHash, request.document, denials);
    forbidSelected(pruned, request, context);
    const result = await run({ ...request, document: pruned.document, queryHash: pruned.queryHash });
    return finish(result, pruned.denials, context, owners);
  };

  const gateway: GatewayInterface = {
    load: async (options) => {
      const { executor } = await engine.load(options);
      if (executor === null) throw new Error('the federation engine gave no executor');
      return { executor: (request) => execute(executor, request) };
    },
    onSchemaLoadOrUpdate: (callback) =>
      engine.onSchemaLoadOrUpdate((loaded) => {
        const sdl = loaded.coreSupergraphSdl ?? '';
        owners = readOwners(sdl);
        state = createSchemaState(loaded.apiSchema, readPolicy(sdl));
        callback(loaded);
      }),
    stop: () => engine.stop(),
  };
  return { gateway, current: () => state };
}

/** What is refused to everybody in this role is no secret: it is told although no row may come back. */
function forbidSelected(
  pruned: PrunedDocument,
  { operationName, request }: ExecutorRequest,
  { caller, notices }: GatewayContext,
): void {
  for (const { kind, coordinate } of selectedDenials(pruned, operationName, request.variables ?? {})) {
    if (kind === 'PURPOSE') notices.forbid({ coordinate, purpose: caller?.purpose ?? null });
  }
}

function denialsOf(state: SchemaState, request: ExecutorRequest, { caller }: GatewayContext): readonly Denial[] {
  const operation = getOperationAST(request.document, request.operationName);
  if (caller === null || operation === null || operation === undefined) return [];
  const { ruled } = state.factsOf(request.queryHash, request.document, operation);
  return ruled.flatMap((coordinate) => denialOf(coordinate, state.policy.fields, caller) ?? []);
}

function finish(
  result: ExecutorResult,
  denials: readonly Denial[],
  { caller, notices }: GatewayContext,
  owners: ReadonlyMap<string, string>,
): ExecutorResult {
  // No data at all: variables did not fit. Apollo Server recognizes these errors by their nodes.
  if (result.data === undefined) return result;
  const { data, cells } = denials.length === 0 ? { data: result.data, cells: [] } : restoreDenied(result.data, denials);
  for (const { denial, path } of cells) {
    if (denial.kind !== 'PURPOSE') continue;
    const rowKey = path.slice(0, -1).join('.');
    const purpose = caller?.purpose ?? null;
    notices.refuse({ coordinate: denial.coordinate, purpose, reason: 'PURPOSE_NOT_ALLOWED', rowKey }, path);
  }
  const errors = groupErrors([
    ...(result.errors ?? []).map(toGraphQLError),
    ...completionErrors(result.extensions?.['valueCompletion']),
    ...scopeErrors(cells, owners),
  ]);
  const consent = notices.consent();
  const provenance = notices.provenance();
  return {
    // restoreDenied keeps the shape of the answer it was given.
    data: data as NonNullable<ExecutorResult['data']>,
    ...(errors.length === 0 ? {} : { errors }),
    extensions: {
      ...(consent.length === 0 ? {} : { consent }),
      ...(provenance.length === 0 ? {} : { provenance }),
    },
  };
}

function toGraphQLError(error: GraphQLError | Error): GraphQLError {
  return error instanceof GraphQLError ? error : new GraphQLError(error.message, { originalError: error });
}
