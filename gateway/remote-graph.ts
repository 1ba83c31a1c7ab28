import type { Config } from './config-schema.ts';
import type { Graph } from './graph.ts';
import { readAddresses } from './supergraph.ts';
import { createRemoteSources } from '#gateway/executor/remote/remote-source.ts';
import type { Clock } from '#platform/clock.ts';
import { loadSigningKeys } from '#platform/context-keys.ts';
import { createContextSigner } from '#platform/context-token.ts';
import { MortarError } from '#platform/errors.ts';
import type { Logger } from '#platform/log.ts';

export interface RemoteGraphDeps {
  readonly supergraphSdl: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A graph whose subgraphs are all processes of their own. */
export interface RemoteGraph extends Graph {
  readonly addresses: readonly { readonly name: string; readonly url: string }[];
}

/** @throws {MortarError} CONFIGURATION_INVALID when a subgraph has no address, or one must be told the caller and no key signs */
export function createRemoteGraph(config: Config, { supergraphSdl, clock, logger }: RemoteGraphDeps): RemoteGraph {
  const addresses = addressesOf(config, supergraphSdl);
  const keys = loadSigningKeys({ variables: config.keyVariables, clock, logger });
  const sign = keys === null ? null : createContextSigner({ keys, clock });
  const sources = createRemoteSources({ subgraphs: config.subgraphs, sign, clock, logger });
  return {
    addresses,
    subgraphs: [],
    findRemote: sources.find,
    retainRemotes: sources.retain,
    systems: () => [],
    readiness: () => ({ consentsImported: true, firstLoadDone: true }),
    loadProgress: () => ({ done: true, feeds: [] }),
    close: sources.close,
  };
}

/** What composition writes for a subgraph of one process with the gateway. */
const HERE = /^(?:mortar:|$)/;

function addressesOf({ subgraphs }: Config, supergraphSdl: string): RemoteGraph['addresses'] {
  const configured = new Map(subgraphs.map(({ name, url }) => [name, url]));
  const addresses = readAddresses(supergraphSdl).map(({ name, url }) => ({ name, url: configured.get(name) ?? url }));
  const missing = addresses.filter(({ url }) => HERE.test(url)).map(({ name }) => name);
  if (missing.length === 0) return addresses;
  throw new MortarError('CONFIGURATION_INVALID', {
    message: `no address is known of ${missing.join(', ')}: name it in the section subgraphs of the configuration, or with --subgraph-url ${missing[0]}=http://host:port/graphql`,
  });
}
