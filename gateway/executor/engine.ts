import { ApolloGateway } from '@apollo/gateway';

import type { GatewayInterface } from './governed-gateway.ts';
import { createSubgraphSource, type SubgraphSourceDeps } from './subgraph-source.ts';
import { stripSecurity } from '#gateway/composition.ts';
import type { Logger } from '#platform/log.ts';
import type { Subgraph } from '#platform/subgraph.ts';

export interface EngineDeps extends Omit<SubgraphSourceDeps, 'subgraph'> {
  readonly supergraphSdl: string;
  readonly subgraphs: readonly Subgraph[];
  readonly logger: Logger;
}

/** A hostile document could otherwise keep the planner busy for 380 ms; with 500 plans it is 20 ms. */
const MAX_EVALUATED_PLANS = 500;
const PLAN_STORE_MIB = 30;

/**
 * The federation engine over the subgraphs of this process. APOLLO_TELEMETRY_DISABLED must be set before this is called:
 * the engine would otherwise phone home (see gateway/main.ts).
 * @throws {Error} when the supergraph demands security we do not enforce, or names a subgraph that is not here
 */
export function createEngine(deps: EngineDeps): GatewayInterface {
  const byName = new Map(deps.subgraphs.map((subgraph) => [subgraph.name, subgraph]));
  const { logger } = deps;
  return new ApolloGateway({
    supergraphSdl: stripSecurity(deps.supergraphSdl),
    buildService: ({ name }) => {
      const subgraph = byName.get(name ?? '');
      if (subgraph === undefined) throw new Error(`the supergraph names the subgraph ${name}, which is not wired`);
      return createSubgraphSource({ ...deps, subgraph });
    },
    queryPlannerConfig: { exposeDocumentNodeInFetchNode: true, debug: { maxEvaluatedPlans: MAX_EVALUATED_PLANS } },
    experimental_approximateQueryPlanStoreMiB: PLAN_STORE_MIB,
    __exposeQueryPlanExperimental: false,
    logger: {
      debug: (message) => logger.debug({}, String(message)),
      info: (message) => logger.debug({}, String(message)),
      warn: (message) => logger.warn({}, String(message)),
      error: (message) => logger.error({}, String(message)),
    },
  });
}
