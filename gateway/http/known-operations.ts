import {
  type FormattedExecutionResult,
  getOperationAST,
  GraphQLError,
  type GraphQLFormattedError,
  OperationTypeNode,
} from 'graphql';

import { httpStatusOf } from './request-error.ts';
import type { LimitsConfig } from '#gateway/config-schema.ts';
import { toClientError } from '#gateway/executor/answer-errors.ts';
import type { GatewayContext } from '#gateway/executor/context.ts';
import type { GovernedGateway, GovernedResult } from '#gateway/executor/governed-gateway.ts';
import { isRow } from '#gateway/executor/plan/row.ts';
import type { SchemaState } from '#gateway/executor/schema-state.ts';
import { assertAdmitted, finishAnswer, type ValidatedOperation } from '#gateway/plugins/admission.ts';
import type { Clock } from '#platform/clock.ts';

export interface KnownOperationsDeps {
  readonly current: () => SchemaState | null;
  readonly execute: GovernedGateway['execute'];
  readonly limits: LimitsConfig;
  readonly clock: Clock;
}

/** An operation ready to run: its document was validated and admitted before. */
export interface KnownOperation extends ValidatedOperation {
  readonly operationName: string | undefined;
}

/**
 * Answers queries and mutations whose document Apollo Server has validated and admitted before against the schema that is
 * served now: most requests of a running graph. Its pipeline costs more than all we do for a small request. Everything else
 * is Apollo Server's: documents seen first, persisted queries, GET, subscriptions, and whatever is to be refused.
 */
export interface KnownOperations {
  /** Null: Apollo Server answers. Reads the body of a POST, which may be anything. */
  readonly find: (body: unknown) => KnownOperation | null;
  /** Null: it is a refusal, nothing was fetched, and Apollo Server words it. */
  readonly answer: (known: KnownOperation, context: GatewayContext) => Promise<KnownAnswer | null>;
}

/** Ready to be sent. */
export interface KnownAnswer {
  readonly status: number;
  /** JSON. */
  readonly body: string;
}

export function createKnownOperations({ current, execute, limits, clock }: KnownOperationsDeps): KnownOperations {
  return {
    find: (body) => {
      const asked = readBody(body);
      const state = asked === null ? null : current();
      const admitted = asked === null ? undefined : state?.admitted.get(asked.query);
      if (asked === null || state === null || admitted === undefined) return null;
      const { operationName, variables } = asked;
      const operation = getOperationAST(admitted.document, operationName);
      if (operation === null || operation === undefined) return null;
      if (operation.operation === OperationTypeNode.SUBSCRIPTION) return null;
      return { ...admitted, state, operation, operationName, variables };
    },
    answer: async (known, context) => {
      if (!isAdmitted(known, context, limits)) return null;
      const { document, queryHash, state, operationName, variables } = known;
      const { schema } = state;
      const finish = (answer: FormattedExecutionResult, status: number): KnownAnswer => {
        finishAnswer(answer, context, { operationName: known.operation.name?.value ?? null, clock });
        return { status, body: `${JSON.stringify(answer)}\n` };
      };
      let result: GovernedResult;
      try {
        result = await execute({ document, queryHash, schema, operationName, variables, context });
      } catch (error) {
        // The planner's refusal. Apollo Server would have it planned a second time to say the same.
        if (error instanceof GraphQLError) return finish({ errors: [toFormatted(error)] }, httpStatusOf(error));
        throw error;
      }
      // Variables that do not fit: nothing was executed.
      if (result.data === undefined) return null;
      const errors = result.errors?.map(toFormatted);
      return finish({ ...(errors && { errors }), data: result.data, extensions: result.extensions ?? {} }, 200);
    },
  };
}

interface AskedBody {
  readonly query: string;
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** Null: it is more than a document, or less. */
function readBody(body: unknown): AskedBody | null {
  if (!isRow(body)) return null;
  const { query, operationName = null, variables = null, extensions = null } = body;
  if (typeof query !== 'string') return null;
  // Clients tell there who they are.
  if (extensions !== null && (!isRow(extensions) || 'persistedQuery' in extensions)) return null;
  if (operationName !== null && typeof operationName !== 'string') return null;
  if (variables !== null && !isRow(variables)) return null;
  return { query, operationName: operationName ?? undefined, variables: variables ?? {} };
}

function isAdmitted(known: KnownOperation, context: GatewayContext, limits: LimitsConfig): boolean {
  try {
    assertAdmitted(known, context, limits);
    return true;
  } catch {
    // Apollo Server comes to the same refusal, and says it.
    return false;
  }
}

/** As Apollo Server does it before `formatError`. */
function toFormatted(error: NonNullable<GovernedResult['errors']>[number]): GraphQLFormattedError {
  const code: unknown = error.extensions['code'] ?? 'INTERNAL_SERVER_ERROR';
  return toClientError({ ...error.toJSON(), extensions: { ...error.extensions, code } });
}
