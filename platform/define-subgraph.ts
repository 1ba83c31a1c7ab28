import { buildSubgraphSchema } from '@apollo/subgraph';
import { GraphQLError, parse } from 'graphql';
import type { GraphQLSchema, GraphQLTypeResolver } from 'graphql';

import { systemClock } from './clock.ts';
import { createWatch } from './subgraph-watch.ts';
import type { OpenSource } from './subgraph-watch.ts';
import { maskError } from './error-mask.ts';
import { createDocumentRunner, type DocumentAnswer, type RunDocument } from './execution/run-document.ts';
import { MortarError } from './errors.ts';
import { applyDeadlines, bindDeadline, watchDeadline } from './fetch-deadline.ts';
import { applyRenewals, bindRenewal } from './fetch-renewal.ts';
import { applyGuard } from './guard.ts';
import { copyingReferences } from './resolve-reference.ts';
import { checkResolvers } from './resolver-check.ts';
import { buildRuleMap } from './rule-map.ts';
import { scalarResolvers } from './scalars.ts';
import { applyShield } from './shield.ts';
import { createSharedWork, type SharedWork } from './shared-work.ts';
import { subgraphSdl } from './subgraph-sdl.ts';
import type { ConsentDecider, ConsentDeciders } from '#schema/model/consent.ts';
import type { RequestContext } from '#schema/model/request.ts';
import type { Clock } from './clock.ts';
import type { ErrorLogger } from './error-mask.ts';
import type { ResolveReference } from './resolve-reference.ts';
import type { ResolverMap } from './resolver-check.ts';
import type { DegradedSource, Refusal, Subgraph, SubgraphContext, SubgraphFetch, SubgraphResult } from './subgraph.ts';

export interface SubgraphDefinition<Loaders> {
  readonly name: string;
  /** The text of schema.graphql; directives and shared types are put before it. */
  readonly typeDefs: string;
  readonly resolvers: ResolverMap<Loaders>;
  /** Value loaders of one request. */
  readonly createLoaders: (request: RequestContext) => Loaders;
  readonly deciders: ConsentDeciders;
  /** The source streams, by name of the `Subscription` field; rights are checked before one is opened. */
  readonly sources?: Readonly<Record<string, OpenSource>>;
  readonly logger?: ErrorLogger | undefined;
  /** @default the system's */
  readonly clock?: Clock;
  /** The engine that applies the rules; both decide alike. @default 'shield' */
  readonly engine?: 'shield' | 'guard';
}

function withCopies<Loaders>(resolvers: ResolverMap<Loaders>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(resolvers).map(([typeName, entries]) => {
      const resolve = '__resolveReference' in entries ? entries['__resolveReference'] : undefined;
      if (typeof resolve !== 'function') return [typeName, entries];
      // @apollo/subgraph calls it with (reference, context, info), which is not the signature of a field resolver.
      return [typeName, { ...entries, __resolveReference: copyingReferences(resolve as unknown as ResolveReference) }];
    }),
  );
}

function buildSchema<Loaders>(definition: SubgraphDefinition<Loaders>, sdl: string): GraphQLSchema {
  const resolvers = { ...scalarResolvers, ...withCopies(definition.resolvers) };
  type Modules = Extract<Parameters<typeof buildSubgraphSchema>[0], readonly unknown[]>;
  // The resolver map is checked against the schema by checkResolvers; Apollo's own type knows no contexts.
  const schema = buildSubgraphSchema([{ typeDefs: parse(sdl), resolvers }] as Modules);
  checkResolvers(schema, definition.resolvers);
  const rules = buildRuleMap(schema);
  const guarded = definition.engine === 'guard' ? applyGuard(schema, rules) : applyShield(schema, rules);
  return applyRenewals(applyDeadlines(guarded));
}

/** A decider that could not be made must not cost the fetch its ungoverned fields. */
function deciderFor(deciders: ConsentDeciders, request: RequestContext): ConsentDecider {
  try {
    return deciders.forFetch(request);
  } catch {
    return { decide: () => Promise.resolve({ allowed: false, reason: 'LEDGER_UNAVAILABLE' }) };
  }
}

/** Rows may be plain records of a union whose type is told by `__typename` only. */
const typeResolver: GraphQLTypeResolver<unknown, unknown> = (value) => {
  const name: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, '__typename') : undefined;
  return typeof name === 'string' ? name : undefined;
};

async function answerDocument(
  runDocument: RunDocument,
  fetch: SubgraphFetch,
  context: SubgraphContext,
): Promise<DocumentAnswer> {
  const { document, operationName, variables } = fetch;
  try {
    return await runDocument({ document, operationName, variables, context });
  } catch (error) {
    // It throws only for a wrong schema: nothing the caller can mend.
    const originalError = error instanceof Error ? error : new Error('execution failed');
    return { data: null, errors: [new GraphQLError('execution failed', { originalError, path: [] })] };
  }
}

/**
 * A domain subgraph, ready to be called in process: shared SDL added, rules of the SDL enforced where fields resolve,
 * errors masked, the request's deadline kept.
 * @throws {Error} at start, when SDL, directives and resolvers do not fit together.
 */
export function defineSubgraph<Loaders>(definition: SubgraphDefinition<Loaders>): Subgraph {
  const sdl = subgraphSdl(definition.typeDefs);
  const schema = buildSchema(definition, sdl);
  const runDocument = createDocumentRunner(schema, { typeResolver });
  const clock = definition.clock ?? systemClock;
  const joinWork = createSharedWork(definition.createLoaders);

  const run = async (fetch: SubgraphFetch): Promise<SubgraphResult> => {
    const deadlineAtMs = Math.min(fetch.deadlineAtMs ?? Infinity, fetch.request.deadlineAtMs);
    const works: SharedWork<Loaders>[] = [];
    const deadline = watchDeadline({ signal: fetch.request.signal, deadlineAtMs }, clock);
    const request = { ...fetch.request, deadlineAtMs, signal: deadline.signal };
    const refusals: Refusal[] = [];
    const degraded: DegradedSource[] = [];
    const renewed = () => {
      const work = joinWork(fetch.request, deadlineAtMs);
      works.push(work);
      return { loaders: work.loaders, decider: deciderFor(definition.deciders, request) };
    };
    const context: SubgraphContext<Loaders> = {
      request,
      ...renewed(),
      notices: { refuse: (refusal) => void refusals.push(refusal), degrade: (source) => void degraded.push(source) },
    };
    bindDeadline(context, deadline);
    bindRenewal(context, () => {
      works.at(-1)?.forget();
      Object.assign(context, renewed());
    });
    const answer = await answerDocument(runDocument, fetch, context);
    const aborted = deadline.fired();
    deadline.release();
    for (const work of works) work.leave(aborted);
    const mask = { subgraph: definition.name, requestId: request.requestId, aborted, logger: definition.logger };
    const errors = answer.errors.map((error) => maskError(error, mask));
    return { data: answer.data, errors, refusals: [...refusals], degraded: [...degraded] };
  };

  const execute = async (fetch: SubgraphFetch): Promise<SubgraphResult> => {
    try {
      return await run(fetch);
    } catch (error) {
      definition.logger?.error(
        { requestId: fetch.request.requestId, subgraph: definition.name, err: error },
        'a fetch failed',
      );
      const failure = new GraphQLError('failed', { originalError: new MortarError('INTERNAL_SERVER_ERROR') });
      return { data: null, errors: [failure], refusals: [], degraded: [] };
    }
  };

  const watch = createWatch(schema, definition.sources ?? {});
  return { name: definition.name, sdl, schema, execute, watch };
}
