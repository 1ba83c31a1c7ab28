import { readFileSync } from 'node:fs';

const read = (name: string): string => readFileSync(new URL(`../schema/${name}`, import.meta.url), 'utf8').trimEnd();

/** schema/directives.graphql and schema/shared.graphql: what every subgraph's SDL begins with. Read anew at each call. */
export function sharedSdl(): string {
  return `${read('directives.graphql')}\n\n${read('shared.graphql')}`;
}

/** The whole SDL of a subgraph, as composition and execution see it. */
export function subgraphSdl(typeDefs: string): string {
  return `${sharedSdl()}\n\n${typeDefs.trim()}\n`;
}
