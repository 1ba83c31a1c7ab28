import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginCacheControlDisabled } from '@apollo/server/plugin/disabled';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';

import { toClientError } from '#gateway/executor/answer-errors.ts';
import type { GatewayContext } from '#gateway/executor/context.ts';
import { createDocumentStore } from '#gateway/executor/document-store.ts';
import { createEngine, type EngineDeps } from '#gateway/executor/engine.ts';
import { createGovernedGateway } from '#gateway/executor/governed-gateway.ts';
import { createAdmissionPlugin, createAnswerPlugin } from '#gateway/plugins/admission.ts';
import type { LimitsConfig } from '#gateway/config-schema.ts';

export interface ApolloDeps extends EngineDeps {
  readonly limits: LimitsConfig;
  /** Off in production. */
  readonly introspection: boolean;
}

/** A started Apollo Server over our governed gateway: CSRF prevention on, batching, stack traces and landing pages off. */
export async function startApolloServer(deps: ApolloDeps): Promise<ApolloServer<GatewayContext>> {
  const { gateway, current } = createGovernedGateway(createEngine(deps));
  const { logger } = deps;
  const server = new ApolloServer<GatewayContext>({
    gateway,
    csrfPrevention: true,
    allowBatchedHttpRequests: false,
    includeStacktraceInErrorResponses: false,
    hideSchemaDetailsFromClientErrors: true,
    introspection: deps.introspection,
    // SIGINT and SIGTERM belong to the serve command, which also drains.
    stopOnTerminationSignals: false,
    documentStore: createDocumentStore(),
    parseOptions: { maxTokens: deps.limits.tokens },
    formatError: toClientError,
    plugins: [
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginCacheControlDisabled(),
      createAdmissionPlugin({ limits: deps.limits, current }),
      createAnswerPlugin(),
    ],
    logger: {
      debug: (message: unknown) => logger.debug({}, String(message)),
      info: (message: unknown) => logger.debug({}, String(message)),
      warn: (message: unknown) => logger.warn({}, String(message)),
      error: (message: unknown) => logger.error({}, String(message)),
    },
  });
  await server.start();
  return server;
}
