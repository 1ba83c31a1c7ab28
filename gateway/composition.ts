import { composeServices } from '@apollo/composition';
import { Kind, parse, valueFromASTUntyped } from 'graphql';
import type { ConstDirectiveNode, DocumentNode } from 'graphql';

import type { SubgraphSdl } from './subgraph-schemas.ts';

/** The subgraphs do not fit together; each problem names coordinates and subgraphs. */
export class CompositionError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The subgraphs do not compose:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'CompositionError';
    this.problems = problems;
  }
}

/** Where the gateway finds a subgraph that runs in its own process. */
function subgraphUrl(name: string): string {
  return `mortar://${name}`;
}

function parseSubgraph(name: string, sdl: string): DocumentNode {
  try {
    return parse(sdl);
  } catch (error) {
    throw new CompositionError([`[${name}] ${error instanceof Error ? error.message : String(error)}`]);
  }
}

/**
 * The supergraph SDL of the subgraphs, the same text for the same input in any order. A subgraph without a `url` runs in the
 * process of the gateway, or has its address in the configuration.
 * @throws {CompositionError} when they do not compose.
 */
export function composeSubgraphs(subgraphs: readonly (SubgraphSdl & { readonly url?: string | null })[]): string {
  if (subgraphs.length === 0) throw new CompositionError(['there is no subgraph: subgraphs/*/schema.graphql']);
  const services = subgraphs
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, sdl, url }) => ({ name, url: url ?? subgraphUrl(name), typeDefs: parseSubgraph(name, sdl) }));
  const result = composeServices(services);
  if (result.errors !== undefined) throw new CompositionError(result.errors.map((error) => error.message));
  return `${result.supergraphSdl.trimEnd()}\n`;
}

/** Security features of a supergraph that the gateway enforces itself. */
const enforcedHere = new Set(['https://specs.apollo.dev/authenticated', 'https://specs.apollo.dev/requiresScopes']);

/** The planner keeps it out of the API schema itself, and refuses versions it does not know. */
const ENFORCED_BY_PLANNER = 'https://specs.apollo.dev/inaccessible';

/** Every `@link` of the supergraph's schema definition. @param named federation 1 called it `core` */
export function linksOf(supergraph: DocumentNode, named = 'link'): readonly ConstDirectiveNode[] {
  return supergraph.definitions.flatMap((node) =>
    node.kind === Kind.SCHEMA_DEFINITION || node.kind === Kind.SCHEMA_EXTENSION
      ? (node.directives ?? []).filter((directive) => directive.name.value === named)
      : [],
  );
}

const argumentOf = (directive: ConstDirectiveNode, name: string) =>
  directive.arguments?.find((argument) => argument.name.value === name);

/**
 * The supergraph as Apollo's planner accepts it: `for: SECURITY` removed from the links we enforce ourselves, nothing else.
 * @throws {Error} for a security link we do not know: loading it would leave its rules unenforced.
 */
export function stripSecurity(supergraphSdl: string): string {
  let text = supergraphSdl;
  // From the end, so that earlier positions stay right.
  for (const link of linksOf(parse(supergraphSdl)).toReversed()) {
    const role = argumentOf(link, 'for');
    if (role === undefined || valueFromASTUntyped(role.value) !== 'SECURITY') continue;
    const urlArgument = argumentOf(link, 'url');
    const url = urlArgument === undefined ? '' : String(valueFromASTUntyped(urlArgument.value));
    const feature = url.replace(/\/v\d+\.\d+$/, '');
    if (feature === ENFORCED_BY_PLANNER) continue;
    if (!enforcedHere.has(feature)) {
      throw new Error(`The supergraph links a security feature that is not enforced here: ${url}`);
    }
    const { start = 0, end = 0 } = role.loc ?? {};
    const before = text.slice(0, start).replace(/[\s,]+$/, '');
    text = `${before}${text.slice(end)}`;
  }
  return text;
}
