import { type DocumentNode, GraphQLError, parse, print } from 'graphql';

import { composeSubgraphs } from '#gateway/composition.ts';
import { createEngine, type Engine } from '#gateway/executor/engine.ts';
import type { LocatedError } from '#gateway/executor/plan/report.ts';
import { createRequestNotices } from '#gateway/executor/request-notices.ts';
import type { SourceFetch, SubgraphAddress, SubgraphSource } from '#gateway/executor/subgraph-calls.ts';
import { systemClock } from '#platform/clock.ts';
import type { SubgraphResult } from '#platform/subgraph.ts';
import type { RequestContext } from '#schema/model/request.ts';
import { aRequestOf } from '#test/support/requests.ts';

/** What a scripted subgraph answers to one fetch. */
export type Script = (fetch: SourceFetch) => unknown;

export interface ScriptedSubgraph {
  readonly sdl: string;
  /** Absent: it is in another process. */
  readonly answer?: Script;
}

/** An answer without errors or notices; errors may be given by path. */
export function answered(data: unknown, more: Partial<Omit<SubgraphResult, 'data'>> = {}): SubgraphResult {
  // Hostile answers are the point: whatever is given is what the subgraph sends.
  return { data: data as SubgraphResult['data'], errors: [], refusals: [], degraded: [], ...more };
}

export function errorAt(path: readonly (string | number)[] | undefined, code = 'UPSTREAM_UNAVAILABLE'): GraphQLError {
  return new GraphQLError(`${code} here`, { path: path ?? null, extensions: { code } });
}

const FEDERATION = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@shareable", "@external", "@requires", "@interfaceObject"])\n`;

export interface ScriptedOptions {
  readonly fetchMs?: number;
  /** Asked for subgraphs without an answer of their own. */
  readonly findRemote?: (address: SubgraphAddress) => SubgraphSource | null;
}

interface AskOptions {
  readonly request?: RequestContext;
  readonly variables?: Record<string, unknown>;
  readonly authorization?: string;
}

/** Our engine over subgraphs that answer what a test says, and everything they were asked. */
export async function createScriptedEngine(
  subgraphs: Readonly<Record<string, ScriptedSubgraph>>,
  { fetchMs = 2_000, findRemote }: ScriptedOptions = {},
) {
  const fetches: { readonly subgraph: string; readonly text: string; readonly variables: SourceFetch['variables'] }[] =
    [];
  const compose = (): string =>
    composeSubgraphs(Object.entries(subgraphs).map(([name, { sdl }]) => ({ name, sdl: `${FEDERATION}${sdl}` })));
  const engine: Engine = createEngine({
    supergraphSdl: compose(),
    subgraphs: Object.entries(subgraphs).flatMap(([name, { answer }]) => {
      if (answer === undefined) return [];
      const execute: SubgraphSource['execute'] = async (fetch) => {
        fetches.push({
          subgraph: name,
          text: print(fetch.document).replaceAll(/\s+/g, ' '),
          variables: fetch.variables,
        });
        // The script answers in the shape of a result, or in whatever shape the test is about.
        return (await answer(fetch)) as SubgraphResult;
      };
      return [{ name, execute }];
    }),
    ...(findRemote === undefined ? {} : { findRemote }),
    clock: systemClock,
    fetchMs,
    observeFetch: () => undefined,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  });
  await engine.load();

  const ask = async (
    text: string | DocumentNode,
    { request = aRequestOf(), variables = {}, authorization }: AskOptions = {},
  ) => {
    const document = typeof text === 'string' ? parse(text) : text;
    const notices = createRequestNotices('associate');
    const { principal, purpose } = request;
    const extensions: [string, unknown][] = [];
    const answer = await engine.execute({
      onExtensions: (subgraph, told) => void extensions.push([subgraph, told]),
      document,
      queryHash: print(document),
      operationName: undefined,
      variables,
      context: { caller: { principal, purpose, request, authorization }, notices },
    });
    const data: unknown = answer.kind === 'answered' ? JSON.parse(JSON.stringify(answer.data)) : undefined;
    const errors = answer.errors.map(toPlain);
    return { data, errors, extensions, consent: notices.consent(), provenance: notices.provenance() };
  };
  return { engine, ask, fetches, compose };
}

/** `path code subgraph` of an error. */
function toPlain({ path, extensions }: LocatedError | GraphQLError): string {
  return `${(path ?? ['(none)']).join('.')} ${String(extensions['code'])} ${String(extensions['serviceName'])}`;
}
