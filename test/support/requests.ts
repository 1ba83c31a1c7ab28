import { type DocumentNode, parse } from 'graphql';

import type { Subgraph, SubgraphResult } from '#platform/subgraph.ts';
import type { ConsentDeciders, GovernedField, Verdict } from '#schema/model/consent.ts';
import { type Principal, type RequestContext, SCOPES } from '#schema/model/request.ts';

/** A request of a service job that fulfills orders, with every scope. */
export function aRequestOf(
  over: Partial<Omit<RequestContext, 'principal'>> & { readonly principal?: Partial<Principal> } = {},
): RequestContext {
  const { principal, ...rest } = over;
  return {
    requestId: 'request-1',
    deadlineAtMs: Date.now() + 10_000,
    signal: new AbortController().signal,
    purpose: 'ORDER_FULFILLMENT',
    medium: null,
    ...rest,
    principal: {
      client: 'test',
      role: 'service-job',
      scopes: new Set(SCOPES),
      purposes: ['ORDER_FULFILLMENT'],
      customer: null,
      stores: [],
      recipient: null,
      ...principal,
    },
  };
}

/** Deciders that answer by a rule of the test. */
export function decidersOf(
  decide: (field: GovernedField, subjects: readonly string[]) => Verdict = () => ({ allowed: true }),
): ConsentDeciders {
  return { forFetch: () => ({ decide: async (field, subjects) => decide(field, subjects) }) };
}

/** Runs a document and answers plain JSON data beside the notices. */
export async function askSubgraph(
  subgraph: Subgraph,
  document: string | DocumentNode,
  options: { readonly request?: RequestContext; readonly variables?: Readonly<Record<string, unknown>> } = {},
): Promise<Omit<SubgraphResult, 'data'> & { readonly data: unknown; readonly codes: readonly unknown[] }> {
  const result = await subgraph.execute({
    document: typeof document === 'string' ? parse(document) : document,
    variables: options.variables ?? {},
    request: options.request ?? aRequestOf(),
  });
  const data: unknown = JSON.parse(JSON.stringify(result.data));
  return { ...result, data, codes: result.errors.map((error) => error.extensions['code']) };
}
