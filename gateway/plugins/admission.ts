import type { ApolloServerPlugin } from '@apollo/server';
import { OperationTypeNode } from 'graphql';

import { assertOperationLimits } from './operation-limits.ts';
import type { LimitsConfig } from '#gateway/config-schema.ts';
import type { GatewayContext } from '#gateway/executor/context.ts';
import type { SchemaState } from '#gateway/executor/schema-state.ts';
import { requestError } from '#gateway/http/request-error.ts';

export interface AdmissionDeps {
  readonly limits: LimitsConfig;
  readonly current: () => SchemaState | null;
}

/**
 * Decides, before planning, whether a validated operation is answered at all: one known query or mutation, within limits,
 * from a known caller (introspection alone needs none outside production), with a purpose when personal fields are asked.
 */
export function createAdmissionPlugin({ limits, current }: AdmissionDeps): ApolloServerPlugin<GatewayContext> {
  return {
    requestDidStart: () =>
      Promise.resolve({
        didResolveOperation: (request) => {
          const { operation, document, queryHash, contextValue } = request;
          if (operation === undefined || operation === null) {
            throw requestError('OPERATION_RESOLUTION_FAILURE', unknownOperation(request.request.operationName));
          }
          if (operation.operation === OperationTypeNode.SUBSCRIPTION) {
            throw requestError('OPERATION_RESOLUTION_FAILURE', 'Subscriptions are not answered here.');
          }
          const state = current();
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
          return Promise.resolve();
        },
      }),
  };
}

function unknownOperation(name: string | undefined): string {
  return name === undefined
    ? 'The document holds several operations: name one in operationName.'
    : 'The document holds no operation of that name.';
}

/** Adds the request id to every answer, and tells the HTTP layer how it went. */
export function createAnswerPlugin(): ApolloServerPlugin<GatewayContext> {
  return {
    requestDidStart: () =>
      Promise.resolve({
        willSendResponse: ({ response, contextValue }) => {
          if (response.body.kind !== 'single') return Promise.resolve();
          const { singleResult } = response.body;
          singleResult.extensions = { ...singleResult.extensions, requestId: contextValue.requestId };
          const code = singleResult.errors?.[0]?.extensions?.['code'];
          const refused = singleResult.data === undefined;
          contextValue.answer.outcome = typeof code !== 'string' ? 'ok' : refused ? code : 'partial';
          return Promise.resolve();
        },
      }),
  };
}
