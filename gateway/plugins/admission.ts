import type { ApolloServerPlugin } from '@apollo/server';
import {
  type DocumentNode,
  type FormattedExecutionResult,
  type GraphQLSchema,
  type OperationDefinitionNode,
  OperationTypeNode,
} from 'graphql';

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

/** A validated document with what one request says beside it. */
export interface ValidatedOperation {
  readonly state: SchemaState;
  readonly document: DocumentNode;
  readonly queryHash: string;
  readonly operation: OperationDefinitionNode;
  readonly variables: Readonly<Record<string, unknown>>;
}

/**
 * Decides, before planning, whether a validated operation is answered at all: within limits, from a known caller
 * (introspection alone needs none outside production), with a purpose when personal fields are asked.
 * @throws {GraphQLError} the refusal, with its HTTP status
 */
export function assertAdmitted(
  { state, document, queryHash, operation, variables }: ValidatedOperation,
  { answer, caller }: Pick<GatewayContext, 'answer' | 'caller'>,
  limits: LimitsConfig,
): void {
  const facts = state.factsOf(queryHash, document, operation);
  answer.personal = facts.governed || facts.aboutPeople;
  if (caller === null && !facts.introspectionOnly) throw requestError('UNAUTHENTICATED');
  if (!state.withinLimits.has(operation)) {
    assertOperationLimits({ schema: state.schema, policy: state.policy, document, operation, variables, limits });
    if ((operation.variableDefinitions ?? []).length === 0) state.withinLimits.add(operation);
  }
  if (facts.governed && caller?.purpose === null) throw requestError('PURPOSE_REQUIRED');
}

/** Admits operations that Apollo Server validated, and remembers their documents: see known-operations.ts. */
export function createAdmissionPlugin({ limits, stateOf }: AdmissionDeps): ApolloServerPlugin<GatewayContext> {
  return {
    requestDidStart: () =>
      Promise.resolve({
        didResolveOperation: async (request) => {
          const startedAtMs = performance.now();
          const { operation, document, queryHash, contextValue, source } = request;
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
          const { variables = {} } = request.request;
          assertAdmitted({ state, document, queryHash, operation, variables }, contextValue, limits);
          if (isLive && live !== undefined) {
            live.operation = { document, operation, variables };
            // Apollo Server ends here; the stream begins.
            throw requestError('OPERATION_RESOLUTION_FAILURE');
          }
          if (!state.admitted.has(source)) state.admitted.set(source, { document, queryHash });
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
          if (response.body.kind === 'single')
            finishAnswer(response.body.singleResult, contextValue, { operationName, clock });
          return Promise.resolve();
        },
      }),
  };
}

/** What both ways to an answer end with; see createAnswerPlugin. */
export function finishAnswer(
  answer: Pick<FormattedExecutionResult, 'data' | 'errors' | 'extensions'>,
  { requestId, answer: facts, trace, showTrace = false, caller, notices }: GatewayContext,
  { operationName, clock }: { readonly operationName: string | null; readonly clock: Clock },
): void {
  const extensions: Record<string, unknown> = { ...answer.extensions, requestId };
  answer.extensions = extensions;
  const code = answer.errors?.[0]?.extensions?.['code'];
  const refused = answer.data === undefined;
  const outcome = typeof code !== 'string' ? 'ok' : refused ? code : 'partial';
  facts.outcome = outcome;
  trace?.answered({ operation: operationName, outcome, errors: answer.errors ?? [], sources: notices.provenance() });
  if (trace !== undefined && showTrace && caller !== null)
    extensions['trace'] = visibleTo(caller.principal.role, trace.record(clock.nowMs()));
}
