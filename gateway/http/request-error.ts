import { HeaderMap } from '@apollo/server';
import { GraphQLError } from 'graphql';

import { ERROR_CODES, type ErrorCode, MortarError } from '#platform/errors.ts';

/** The JSON body of a refused request, in the shape of a GraphQL answer. */
export interface ErrorBody {
  readonly errors: readonly { readonly message: string; readonly extensions: Readonly<Record<string, unknown>> }[];
  readonly extensions: { readonly requestId: string };
}

/** A refusal of the whole request, with the code's HTTP status, as Apollo Server wants it thrown. `message` goes to the caller. */
export function requestError(
  code: ErrorCode,
  message?: string,
  more: Readonly<Record<string, unknown>> = {},
): GraphQLError {
  return new GraphQLError(message ?? ERROR_CODES[code].message, {
    extensions: { code, ...more, http: { status: ERROR_CODES[code].http, headers: new HeaderMap() } },
  });
}

/** The same refusal for routes that Apollo Server does not carry. */
export function errorBody(code: ErrorCode, requestId: string, message?: string): ErrorBody {
  const { action, message: fallback, retryable } = ERROR_CODES[code];
  return {
    errors: [{ message: message ?? fallback, extensions: { code, action, retryable } }],
    extensions: { requestId },
  };
}

/** Refusals written for callers keep their message; anything else says no more than its code. */
export function toRequestError(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return error;
  if (error instanceof MortarError) return requestError(error.code, error.message, error.facts);
  return requestError('INTERNAL_SERVER_ERROR');
}

/** The HTTP status an error of a whole request is sent with: the one it names, or 500. */
export function httpStatusOf({ extensions: { http } }: GraphQLError): number {
  return typeof http === 'object' && http !== null && 'status' in http ? Number(http.status) : 500;
}

/** Whether an error is a refusal with this code. */
export function hasErrorCode(error: unknown, code: ErrorCode): boolean {
  return error instanceof GraphQLError && error.extensions['code'] === code;
}
