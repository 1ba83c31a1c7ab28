import { createRemoteSources, type RemoteSources } from '#gateway/executor/remote/remote-source.ts';
import { createSubgraphServer, type SubgraphServerDeps } from '#gateway/http/subgraph-server.ts';
import type { VerifyToken } from '#gateway/auth/verify-token.ts';
import { type LimitsConfig, limitsConfig } from '#gateway/config-schema.ts';
import type { SubgraphSource } from '#gateway/executor/subgraph-calls.ts';
import { systemClock } from '#platform/clock.ts';
import { loadSigningKeys, loadVerificationKeys } from '#platform/context-keys.ts';
import {
  createContextSigner,
  createContextVerifier,
  type SignContext,
  type VerifyContext,
} from '#platform/context-token.ts';
import { createMemoryContexts } from '#platform/used-contexts.ts';
import { createContextPair } from '#test/support/context-keys.ts';

import type { PlainSubgraph } from './random-world.ts';

const logger = { debug() {}, info() {}, warn() {}, error() {} };

/** A gateway's signature and a subgraph's check of it, of one fresh pair of keys. */
export function contextOfPair(
  pair = createContextPair(),
  clock = systemClock,
): { readonly sign: SignContext; readonly verify: VerifyContext } {
  const variables = { MORTAR_KEY_CONTEXT: pair.privatePem, MORTAR_KEY_CONTEXT_PUBLIC: pair.publicPem };
  const signing = loadSigningKeys({ variables, clock, logger });
  const verification = loadVerificationKeys({ variables, clock, logger });
  if (signing === null || verification === null) throw new Error('both keys were given');
  return {
    sign: createContextSigner({ keys: signing, clock }),
    verify: createContextVerifier({ keys: verification, clock }),
  };
}

/** The server of one subgraph with usual limits, not listening. */
export function subgraphServer(subgraph: PlainSubgraph, over: Partial<SubgraphServerDeps>) {
  return createSubgraphServer({
    subgraph,
    trust: {},
    usedContexts: createMemoryContexts(systemClock),
    limits: limitsConfig.parse({}),
    clock: systemClock,
    logger,
    missing: () => [],
    openSchema: false,
    ...over,
  });
}

export interface ServedSubgraphs extends AsyncDisposable {
  /** What a gateway of ours calls them with. */
  readonly remote: RemoteSources;
  readonly sources: readonly SubgraphSource[];
  readonly urls: ReadonlyMap<string, string>;
}

/** Subgraphs of ours behind real HTTP on loopback ports; `token` lets gateways of others call them too. */
export async function serveSubgraphs(
  subgraphs: readonly PlainSubgraph[],
  { token, limits }: { readonly token?: VerifyToken; readonly limits?: LimitsConfig } = {},
): Promise<ServedSubgraphs> {
  const { sign, verify } = contextOfPair();
  const served = await Promise.all(
    subgraphs.map(async (subgraph) => {
      const app = subgraphServer(subgraph, {
        trust: { context: verify, token },
        ...(limits === undefined ? {} : { limits }),
      });
      const address = await app.listen({ host: '127.0.0.1', port: 0 });
      return { app, subgraph: { name: subgraph.name, url: `${address}/graphql`, trust: 'context' as const } };
    }),
  );
  const known = served.map(({ subgraph }) => subgraph);
  const remote = createRemoteSources({ clock: systemClock, logger, subgraphs: known, sign });
  return {
    remote,
    sources: known.flatMap(({ name }) => remote.find({ name, url: '' }) ?? []),
    urls: new Map(known.map(({ name, url }) => [name, url])),
    [Symbol.asyncDispose]: async () => {
      await remote.close();
      await Promise.all(
        served.map(async ({ app }) => {
          app.server.closeAllConnections();
          await app.close();
        }),
      );
    },
  };
}
