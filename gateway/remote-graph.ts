import type { Config } from './config-schema.ts';
import type { Graph } from './graph.ts';
import { isPlainOverNetwork } from './production-rules.ts';
import { readAddresses } from './supergraph.ts';
import { createRemoteSources } from '#gateway/executor/remote/remote-source.ts';
import type { Clock } from '#platform/clock.ts';
import { loadSigningKeys } from '#platform/context-keys.ts';
import { createContextSigner } from '#platform/context-token.ts';
import { MortarError } from '#platform/errors.ts';
import type { Logger } from '#platform/log.ts';

export interface RemoteSubgraphsDeps {
  readonly supergraphSdl: string;
  /** Names of the subgraphs of this process. */
  readonly here: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The subgraphs of a supergraph that are processes of their own, and those of the supergraphs after it. */
export interface RemoteSubgraphs extends Required<Pick<Graph, 'findRemote' | 'retainRemotes'>> {
  readonly addresses: readonly { readonly name: string; readonly url: string }[];
  readonly close: () => Promise<void>;
}

/** @throws {MortarError} CONFIGURATION_INVALID when a subgraph has no address */
export function openRemoteSubgraphs(config: Config, deps: RemoteSubgraphsDeps): RemoteSubgraphs {
  const { clock, logger } = deps;
  const addresses = addressesOf(config, deps);
  const keys = loadSigningKeys({ variables: config.keyVariables, clock, logger });
  const sign = keys === null ? null : createContextSigner({ keys, clock });
  const sources = createRemoteSources({ subgraphs: config.subgraphs, sign, clock, logger });
  return {
    addresses,
    findRemote: (address) => {
      if (config.production) assertEncrypted(config, address);
      return sources.find(address);
    },
    retainRemotes: sources.retain,
    close: sources.close,
  };
}

/** A graph whose subgraphs are all processes of their own. */
export interface RemoteGraph extends Graph, Pick<RemoteSubgraphs, 'addresses'> {}

/** @throws {MortarError} CONFIGURATION_INVALID when a subgraph has no address */
export function createRemoteGraph(config: Config, deps: Omit<RemoteSubgraphsDeps, 'here'>): RemoteGraph {
  return {
    ...openRemoteSubgraphs(config, { ...deps, here: [] }),
    subgraphs: [],
    systems: () => [],
    readiness: () => ({ consentsImported: true, firstLoadDone: true }),
    loadProgress: () => ({ done: true, feeds: [] }),
  };
}

/** What composition writes for a subgraph of one process with the gateway. */
const HERE = /^(?:mortar:|$)/;

function addressesOf(
  { subgraphs }: Config,
  { supergraphSdl, here }: Pick<RemoteSubgraphsDeps, 'supergraphSdl' | 'here'>,
): RemoteSubgraphs['addresses'] {
  const configured = new Map(subgraphs.map(({ name, url }) => [name, url]));
  const addresses = readAddresses(supergraphSdl)
    .filter(({ name }) => !here.includes(name))
    .map(({ name, url }) => ({ name, url: configured.get(name) ?? url }));
  const missing = addresses.filter(({ url }) => HERE.test(url)).map(({ name }) => name);
  if (missing.length === 0) return addresses;
  throw invalid(
    `no address is known of ${missing.join(', ')}: name it in the section subgraphs of the configuration, or with --subgraph-url ${missing[0]}=http://host:port/graphql`,
  );
}

/** The addresses of the configuration were looked at when it was read; a supergraph brings others at any time. */
function assertEncrypted({ subgraphs }: Config, { name, url }: { readonly name: string; readonly url: string }): void {
  const entry = subgraphs.find((known) => known.name === name);
  if (entry?.url !== undefined || entry?.plainText === true || !isPlainOverNetwork(url)) return;
  throw invalid(
    `the supergraph reaches ${name} over the network in plain text: use https, or say plainText: true in its entry under subgraphs where a mesh encrypts`,
  );
}

function invalid(message: string): MortarError {
  return new MortarError('CONFIGURATION_INVALID', { message });
}
