import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';

import type { LoneGateway } from './lone-gateway.ts';

export interface ForeignAnswer {
  readonly status: number;
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly unknown[];
    readonly extensions: Record<string, unknown>;
  }[];
}

/** Asks a lone gateway with a token of its issuer; `scope: null`: without one. */
export async function askGateway(
  gateway: LoneGateway,
  query: string,
  { scope = 'catalog:read', variables }: { readonly scope?: string | null; readonly variables?: object } = {},
): Promise<ForeignAnswer> {
  const bearer = scope === null ? {} : { authorization: `Bearer ${await gateway.issuer.issue({ scope })}` };
  const response = await fetch(gateway.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...bearer },
    body: JSON.stringify({ query, variables }),
  });
  return { status: response.status, ...((await response.json()) as object) };
}

/** The supergraph of subgraphs with their addresses. @throws {Error} when they do not compose */
export function composed(
  services: readonly { readonly name: string; readonly url: string; readonly sdl: string }[],
): string {
  const { supergraphSdl, errors } = composeServices(
    services.map(({ name, url, sdl }) => ({ name, url, typeDefs: parse(sdl) })),
  );
  if (supergraphSdl === undefined) throw new Error(errors?.join('\n'));
  return supergraphSdl;
}
