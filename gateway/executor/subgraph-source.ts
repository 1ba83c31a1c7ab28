import type { GraphQLDataSource } from '@apollo/gateway';
import { type DocumentNode, GraphQLError, type GraphQLFormattedError, parse } from 'graphql';

import type { AuthenticatedRequest, GatewayContext } from './context.ts';
import { locatedErrors } from './located-errors.ts';
import type { Clock } from '#platform/clock.ts';
import type { ErrorCode } from '#platform/errors.ts';
import type { Metrics } from '#platform/metrics.ts';
import type { Subgraph, SubgraphFetch, SubgraphResult } from '#platform/subgraph.ts';

type ResponsePath = readonly (string | number)[];

/** Something to tell about one place of a fetch's answer once its client path is known. */
interface PlacedNotice {
  readonly path: ResponsePath;
  readonly tell: (clientPath: ResponsePath | null) => void;
}

/** Subgraphs end at the request's deadline by themselves and then answer what they have: they get this much to do so. */
const GRACE_MS = 40;
const MAX_PLACED_REFUSALS = 1_000;
const MAX_PLACED_SOURCES = 100;

export interface SubgraphSourceDeps {
  readonly subgraph: Subgraph;
  readonly clock: Clock;
  readonly fetchMs: number;
  readonly observeFetch: Metrics['observeFetch'];
}

/**
 * Carries a plan's fetch to a subgraph of this process: the plan's document is executed directly, a late or broken fetch
 * comes back as errors at the fields it would have answered, and notices find their way to the request. Never rejects.
 */
export function createSubgraphSource(deps: SubgraphSourceDeps): GraphQLDataSource {
  const { subgraph, clock, observeFetch } = deps;
  return {
    process: async (options) => {
      const { query, variables = {}, operationName } = options.request;
      const document: DocumentNode = ('document' in options ? options.document : undefined) ?? parse(query ?? '');
      // The engine passes on the context value of our own server.
      const { caller, notices } = options.context as GatewayContext;
      if (caller === null) return { data: null, errors: [...locatedErrors(document, variables, 'UNAUTHENTICATED')] };
      const startedAtMs = clock.nowMs();
      const fetch = { document, operationName, variables, request: caller.request };
      const outcome = await runFetch(deps, fetch, caller);
      const failed = outcome.kind === 'failed';
      observeFetch({
        subgraph: subgraph.name,
        outcome: failed ? outcome.code : 'ok',
        elapsedMs: clock.nowMs() - startedAtMs,
      });
      if (failed) return { data: null, errors: [...locatedErrors(document, variables, outcome.code)] };
      const { result } = outcome;
      const errors = withPlacedNotices(errorsOf(result, fetch), placeNotices(result, notices));
      return { data: result.data ?? null, ...(errors === null ? {} : { errors }) };
    },
  };
}

type FetchOutcome =
  | { readonly kind: 'answered'; readonly result: SubgraphResult }
  | { readonly kind: 'failed'; readonly code: ErrorCode };

async function runFetch(
  deps: SubgraphSourceDeps,
  fetch: SubgraphFetch,
  { request }: AuthenticatedRequest,
): Promise<FetchOutcome> {
  const leftMs = request.deadlineAtMs - deps.clock.nowMs();
  if (leftMs <= 0 || request.signal.aborted) return { kind: 'failed', code: 'DEADLINE_EXCEEDED' };
  const answered = deps.subgraph.execute(fetch).then(
    (result): FetchOutcome => ({ kind: 'answered', result }),
    (): FetchOutcome => ({ kind: 'failed', code: 'SUBGRAPH_UNAVAILABLE' }),
  );
  const { promise: late, resolve } = Promise.withResolvers<FetchOutcome>();
  const expire = (): void => resolve({ kind: 'failed', code: 'DEADLINE_EXCEEDED' });
  const timer = setTimeout(expire, Math.min(deps.fetchMs, leftMs + GRACE_MS));
  const outcome = await Promise.race([answered, late]);
  clearTimeout(timer);
  return outcome;
}

/** A failure of the whole fetch has no path of its own: it is told at every field the fetch would have answered. */
function errorsOf(result: SubgraphResult, fetch: SubgraphFetch): readonly GraphQLFormattedError[] {
  if (result.data !== null && result.data !== undefined) return result.errors;
  return result.errors.flatMap((error) => {
    if (error.path !== undefined && error.path.length > 0) return [error];
    return locatedErrors(fetch.document, fetch.variables, 'SUBGRAPH_UNAVAILABLE').map(
      ({ path }) => new GraphQLError(error.message, { path: path ?? null, extensions: error.extensions }),
    );
  });
}

/** Tells what needs no client path at once, and returns the rest. */
function placeNotices(result: SubgraphResult, notices: GatewayContext['notices']): readonly PlacedNotice[] {
  const placed: PlacedNotice[] = [];
  let refusals = 0;
  for (const refusal of result.refusals) {
    const { path, ...facts } = refusal;
    const told = { ...facts, rowKey: facts.rowKey === '' ? path.join('.') : facts.rowKey };
    refusals += 1;
    if (!notices.wantsRefusalPaths || refusals > MAX_PLACED_REFUSALS) notices.refuse(told, null);
    else placed.push({ path, tell: (clientPath) => notices.refuse(told, clientPath) });
  }
  for (const [index, { path, ...facts }] of result.degraded.entries()) {
    if (index >= MAX_PLACED_SOURCES) notices.degrade(facts, null);
    else placed.push({ path, tell: (clientPath) => notices.degrade(facts, clientPath) });
  }
  return placed;
}

/**
 * The engine knows the client's path of a fetch only while it maps that fetch's errors, and it drops a subgraph's
 * `extensions`. So notices travel as pseudo errors behind the real ones in a list whose `map` hands them back with their
 * client path: they never reach the engine's own error list (where they would hide its findings on broken values).
 * Null: neither errors nor notices.
 */
function withPlacedNotices(
  errors: readonly GraphQLFormattedError[],
  placed: readonly PlacedNotice[],
): GraphQLFormattedError[] | null {
  if (errors.length === 0 && placed.length === 0) return null;
  const pseudo = placed.map(({ path }) => ({ message: 'notice', path, extensions: { code: 'NOTICE' } }));
  const list: GraphQLFormattedError[] = [...errors, ...pseudo];
  const told = new Set<number>();
  const map = <U>(callback: (error: GraphQLFormattedError, index: number, all: GraphQLFormattedError[]) => U): U[] => {
    const mapped = Array.from(list, (error, index) => callback(error, index, list));
    for (const [index, notice] of placed.entries()) {
      const hydrated = mapped[errors.length + index];
      if (told.has(index) || !(hydrated instanceof GraphQLError)) continue;
      told.add(index);
      notice.tell(hydrated.path ?? null);
    }
    return mapped.slice(0, errors.length);
  };
  return Object.defineProperty(list, 'map', { value: map });
}
