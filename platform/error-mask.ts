import { GraphQLError } from 'graphql';

import { ERROR_CODES, MortarError, isErrorCode } from './errors.ts';
import type { ErrorCode } from './errors.ts';

/** Where unknown errors are told in full; pino fits. Absent: they are only masked. */
export interface ErrorLogger {
  readonly error: (facts: Readonly<Record<string, unknown>>, message: string) => void;
}

export interface MaskOptions {
  readonly subgraph: string;
  readonly requestId: string;
  /** The request was stopped: what then fails with AbortError did so for want of time. */
  readonly aborted: boolean;
  readonly logger?: ErrorLogger | undefined;
}

/** Codes whose message a resolver may choose, because it speaks of the caller's own input. */
const ownMessage: ReadonlySet<string> = new Set<ErrorCode>(['BAD_USER_INPUT', 'LIMIT_LIST']);

interface Visible {
  readonly message?: string;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

function rebuild(error: GraphQLError, code: ErrorCode, visible: Visible = {}): GraphQLError {
  const message = ownMessage.has(code) ? visible.message : undefined;
  return new GraphQLError(message ?? ERROR_CODES[code].message, {
    path: error.path ?? null,
    extensions: { ...visible.extensions, code },
  });
}

function maskMortar(error: GraphQLError, cause: MortarError): GraphQLError {
  const system = cause.system === undefined ? {} : { system: cause.system };
  return rebuild(error, cause.code, { extensions: { ...cause.facts, ...system } });
}

/** graphql itself refused an argument or variable: it points at the node, which an output that does not fit never does. */
function isInputError(error: GraphQLError, original: unknown): boolean {
  if (error.path === undefined) return original === undefined || (error.nodes?.length ?? 0) > 0;
  return original instanceof GraphQLError && (original.nodes?.length ?? 0) > 0;
}

function logUnknown(error: GraphQLError, original: unknown, options: MaskOptions): void {
  const facts = { requestId: options.requestId, subgraph: options.subgraph, path: error.path };
  // graphql's own messages repeat the value that did not fit, and it may be personal: only where it happened is told.
  if (original === undefined || original instanceof GraphQLError) {
    options.logger?.error(facts, 'a resolver answered a value that does not fit its type');
    return;
  }
  options.logger?.error({ ...facts, err: original }, 'a resolver failed with an unknown error');
}

/**
 * The error as a caller may see it: a code of the table with its message, `system` where one is concerned, and the path.
 * Anything that is not a MortarError or an input error becomes INTERNAL_SERVER_ERROR and is logged with the request id.
 */
export function maskError(error: GraphQLError, options: MaskOptions): GraphQLError {
  const original = error.originalError;
  if (original instanceof MortarError) {
    if (original.code === 'INTERNAL_SERVER_ERROR') logUnknown(error, original, options);
    return maskMortar(error, original);
  }
  const code = error.extensions['code'];
  if (original instanceof GraphQLError && isErrorCode(code)) {
    return rebuild(error, code, { message: original.message });
  }
  if (options.aborted && original?.name === 'AbortError') return rebuild(error, 'DEADLINE_EXCEEDED');
  if (isInputError(error, original)) return rebuild(error, 'BAD_USER_INPUT', { message: error.message });
  logUnknown(error, original, options);
  return rebuild(error, 'INTERNAL_SERVER_ERROR');
}
