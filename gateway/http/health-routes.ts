import type { FastifyInstance, FastifyRequest } from 'fastify';

import type { Config } from '#gateway/config-schema.ts';
import type { Graph } from '#gateway/graph.ts';
import type { GraphStatus } from '#gateway/swap/graph-swap.ts';
import type { Clock } from '#platform/clock.ts';
import { SCOPES } from '#schema/model/request.ts';

export interface HealthDeps {
  readonly config: Config;
  readonly graph: Graph;
  readonly isDraining: () => boolean;
}

/** What /readyz still waits for, in words; empty: ready. */
export function missingForReady({ config, graph, isDraining }: HealthDeps): readonly string[] {
  const { consentsImported, firstLoadDone } = graph.readiness();
  return [
    ...(isDraining() ? ['the process is stopping'] : []),
    ...(consentsImported ? [] : ['past consents are being imported']),
    ...(config.waitForFirstLoad && !firstLoadDone ? ['the first load of the directories is running'] : []),
  ];
}

/** The gateway's address as callers know it, without a trailing slash; harmless inside a quoted header value. */
export function publicBase(request: FastifyRequest, { publicUrl }: Pick<Config, 'publicUrl'>): string {
  const base = publicUrl ?? `${request.protocol}://${request.host}`;
  return base.replaceAll(/["\\\s]|\/+$/g, '');
}

/** Adds /livez, /readyz and the protected-resource metadata (RFC 9728) that names the issuer. */
export function addHealthRoutes(
  app: FastifyInstance,
  deps: HealthDeps & { readonly supergraph: () => GraphStatus; readonly clock: Clock },
): void {
  const { config, graph, clock } = deps;
  app.get('/livez', () => ({ status: 'alive' }));
  app.get('/readyz', async (_request, reply) => {
    const missing = missingForReady(deps);
    const systems = graph.systems().map(({ id, state, lagSeconds }) => ({ id, state, lagSeconds }));
    await reply
      .status(missing.length === 0 ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({
        status: missing.length === 0 ? 'ready' : 'waiting',
        missing,
        load: graph.loadProgress(),
        systems,
        graph: told(deps.supergraph(), clock.nowMs()),
      });
  });
  app.get('/.well-known/oauth-protected-resource', (request) => ({
    resource: `${publicBase(request, config)}/graphql`,
    resource_name: 'Mortar',
    authorization_servers: [config.issuer.url],
    scopes_supported: SCOPES,
    bearer_methods_supported: ['header'],
  }));
}

function told({ id, loadedAtMs, refused }: GraphStatus, nowMs: number) {
  const ageSeconds = Math.round((nowMs - loadedAtMs) / 1_000);
  return { id, ageSeconds, refused: refused && { id: refused.id, at: new Date(refused.atMs).toISOString() } };
}
