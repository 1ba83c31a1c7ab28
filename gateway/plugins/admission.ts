import type { ApolloServerPlugin } from '@apollo/server';
import { type GraphQLSchema, OperationTypeNode } from 'graphql';

import { assertOperationLimits } from './operation-limits.ts';
import type { LimitsConfig } from '#gateway/config-schema.ts';
import type { GatewayContext } from '#gateway/executor/context.ts';
import type { SchemaState } from '#gateway/executor/schema-state.ts';
import { requestError } from '#gateway/http/request-error.ts';
import { visibleTo } from '#gateway/trace/trace-record.ts';
import type { Clock } from '#platform/clock.ts';
import { giveWay } from '#platform/turns.ts';

export interface AdmissionDeps {
  readonly limits: LimitsConfig;
  /** What belongs to the schema a request is answered by. */
  readonly stateOf: (schema: GraphQLSchema) => SchemaState | null;
}

/**
 * Decides, before planning, whether a validated operation is answered at all: one known operation, within limits,
 * from a known caller (introspection alone needs none outside production), with a purpose when personal fields are asked.
 */
export function createAdmissionPlugin({ limits, stateOf }: AdmissionDeps): ApolloServerPlugin<GatewayContext> {
  return {
    requestDidStart: () =>
      Promise.resolve({
        didResolveOperation: async (request) => {
          const startedAtMs = performance.now();
          const { operation, document, queryHash, contextValue } = request;
          if (operation === undefined || operation === null) {
            throw requestError('OPERATION_RESOLUTION_FAILURE', unknownOperation(request.request.operationName));
          }
          const { live } = contextValue;
          const isLive = operation.operation === OperationTypeNode.SUBSCRIPTION;
          if (isLive && live === undefined) throw requestError('OPERATION_RESOLUTION_FAILURE', NO_EVENTS);
          if (live?.readOnly === true && operation.operation === OperationTypeNode.MUTATION)
            throw requestError('METHOD_NOT_ALLOWED');
          const state = stateOf(request.schema);
          if (state === null) throw requestError('OVERLOADED');
          const facts = state.factsOf(queryHash, document, operation);
          contextValue.answer.personal = facts.governed || facts.aboutPeople;
          if (contextValue.caller === null && !facts.introspectionOnly) throw requestError('UNAUTHENTICATED');
          assertOperationLimits({
            schema: state.schema,
            policy: state.policy,
            document,
            operation,
            variables: request.request.variables ?? {},
            limits,
          });
          if (facts.governed && contextValue.caller?.purpose === null) throw requestError('PURPOSE_REQUIRED');
          if (isLive && live !== undefined) {
            live.operation = { document, operation, variables: request.request.variables ?? {} };
            // Apollo Server ends here; the stream begins.
            throw requestError('OPERATION_RESOLUTION_FAILURE');
          }
          await giveWay(startedAtMs);
        },
      }),
  };
}

const NO_EVENTS =
  'Subscriptions are answered as server-sent events: send the header accept: text/event-stream (see docs/live-data.md).';

function unknownOperation(name: string | undefined): string {
  return name === undefined
    ? 'The document holds several operations: name one in operationName.'
    : 'The document holds no operation of that name.';
}

/** Adds the request id to every answer, the trace where it is asked for, and tells the HTTP layer how it went. */
export function createAnswerPlugin({ clock }: { readonly clock: Clock }): ApolloServerPlugin<GatewayContext> {
  return {
    requestDidStart: () =>
      Promise.resolve({
        willSendResponse: ({ response, contextValue, operationName = null }) => {
          if (response.body.kind !== 'single') return Promise.resolve();
          const { singleResult } = response.body;
          singleResult.extensions = { ...singleResult.extensions, requestId: contextValue.requestId };
          const code = singleResult.errors?.[0]?.extensions?.['code'];
          const refused = singleResult.data === undefined;
          const outcome = typeof code !== 'string' ? 'ok' : refused ? code : 'partial';
          contextValue.answer.outcome = outcome;
          const { trace, showTrace = false, caller } = contextValue;
          const sources = contextValue.notices.provenance();
          trace?.answered({ operation: operationName, outcome, errors: singleResult.errors ?? [], sources });
          if (trace !== undefined && showTrace && caller !== null)
            singleResult.extensions['trace'] = visibleTo(caller.principal.role, trace.record(clock.nowMs()));
          return Promise.resolve();
        },
      }),
  };
}
