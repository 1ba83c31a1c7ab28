import { ApolloServer } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';

import { createKnownOperations, type KnownOperations } from './known-operations.ts';
import { toClientError } from '#gateway/executor/answer-errors.ts';
import type { GatewayContext } from '#gateway/executor/context.ts';
import { createDocumentStore } from '#gateway/executor/document-store.ts';
import { createEngine, type Engine, type EngineDeps } from '#gateway/executor/engine.ts';
import { createGovernedGateway } from '#gateway/executor/governed-gateway.ts';
import type { SchemaState } from '#gateway/executor/schema-state.ts';
import { createAdmissionPlugin, createAnswerPlugin } from '#gateway/plugins/admission.ts';
import { createTurnsPlugin } from '#gateway/plugins/turns.ts';
import type { LimitsConfig } from '#gateway/config-schema.ts';

export interface ApolloDeps extends EngineDeps {
  readonly limits: LimitsConfig;
  /** Off in production. */
  readonly introspection: boolean;
}

/** What answers requests, and what it answers them with. */
export interface StartedServer {
  readonly server: ApolloServer<GatewayContext>;
  readonly engine: Engine;
  /** Answers most requests in its stead. */
  readonly known: KnownOperations;
  /** What belongs to the schema that is loaded now; null before loading. */
  readonly current: () => SchemaState | null;
}

/** Enough to correct a document by; each costs a count of the lines before it. */
const MAX_VALIDATION_ERRORS = 25;

/** A started Apollo Server over our governed gateway: CSRF prevention on, batching, stack traces and landing pages off. */
export async function startApolloServer(deps: ApolloDeps): Promise<StartedServer> {
  const engine = createEngine(deps);
  const { gateway, execute, stateOf } = createGovernedGateway(engine);
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
    validationOptions: { maxErrors: MAX_VALIDATION_ERRORS, hideSuggestions: true },
    formatError: toClientError,
    plugins: [
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginCacheControlDisabled(),
      // An APOLLO_KEY that lies in the environment for another program would send them off: we phone nobody.
      ApolloServerPluginUsageReportingDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      createTurnsPlugin(),
      createAdmissionPlugin({ limits: deps.limits, stateOf }),
      createAnswerPlugin(deps),
    ],
    logger: {
      debug: (message: unknown) => logger.debug({}, String(message)),
      info: (message: unknown) => logger.debug({}, String(message)),
      warn: (message: unknown) => logger.warn({}, String(message)),
      error: (message: unknown) => logger.error({}, String(message)),
    },
  });
  await server.start();
  const current = (): SchemaState | null => stateOf(engine.graph().apiSchema);
  return { server, engine, current, known: createKnownOperations({ ...deps, current, execute }) };
}
