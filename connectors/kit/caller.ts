import type { Clock } from '#platform/clock.ts';
import type { MortarError } from '#platform/errors.ts';
import type { CallScope } from '#schema/model/request.ts';
import type { OperationClass } from '#schema/model/sources.ts';

import type { Authorizer } from './auth.ts';
import type { AccountBudget } from './budget.ts';
import { createBudgetLine } from './budget-line.ts';
import { connectionError, failure, isWorthAnother, notSent, signOf } from './call-outcome.ts';
import type { Outcome } from './call-outcome.ts';
import { limitCall, orAborted, pauseFor } from './deadline.ts';
import { upstreamError } from './failure.ts';
import type { Vitals } from './health.ts';
import type { Lanes } from './lanes.ts';
import { classify, parseAnswer } from './response.ts';
import { createRetryCredit } from './retry-credit.ts';
import type { HttpExchange, Transport } from './transport.ts';
import { buildUrl } from './wire.ts';
import type { WireRequest, WireResponse } from './wire.ts';

/** One line per call to a system: for metrics, logs and audits. Never a value, a key or a URL. */
export interface CallTrace {
  readonly system: string;
  readonly operation: string;
  /** 0: no answer came. */
  readonly status: number;
  readonly attempt: number;
  readonly elapsedMs: number;
  readonly requestId: string;
  /** Null when the call succeeded. */
  readonly errorCode: string | null;
}

export interface CallerDeps {
  readonly system: string;
  readonly baseUrl: string;
  readonly pauseMs: number;
  readonly clock: Clock;
  readonly transport: Transport;
  readonly authorizer: Authorizer;
  readonly lanes: Lanes;
  readonly budget: AccountBudget;
  readonly vitals: Vitals;
  readonly trace: (line: CallTrace) => void;
  /** 0 <= x < 1. */
  readonly random: () => number;
}

interface CallOptions {
  readonly operationClass: OperationClass;
  readonly timeoutMs: number;
  /** False: sending it twice does harm, so it is sent again only when the system surely did not take it. @default true */
  readonly repeatable?: boolean;
  /** Success may come without a body. @default false */
  readonly mayBeEmpty?: boolean;
  /** Error answers the definition wants to see itself (an expired page token). */
  readonly accept?: (response: WireResponse) => boolean;
  /** Asked before each attempt: null when the call is not wanted any more, otherwise what to call when the attempt ended. */
  readonly begin?: () => (() => void) | null;
}

/** Sends one request within the scope's deadline. @throws {MortarError} UPSTREAM_* naming the system */
export type Caller = (request: WireRequest, scope: CallScope, options: CallOptions) => Promise<WireResponse>;

/** Less than this is not worth a call. */
const LEAST_MS = 20;
/**
 * Calls to one system: turn, pause after 429, token, timeout, at most one retry, trace, health. A retry happens only where
 * time and credit are left: after a wait the source asked for, or 10 to 100 ms after a failure that cost less than half of
 * the time.
 */
export function createCaller(deps: CallerDeps): Caller {
  const credit = createRetryCredit();
  const awaitBudget = createBudgetLine(deps.budget, deps.clock);
  const remaining = (scope: CallScope): number => scope.deadlineAtMs - deps.clock.nowMs();

  async function attempt(
    request: WireRequest,
    scope: CallScope,
    options: CallOptions,
    number: number,
  ): Promise<Outcome> {
    const startedAtMs = deps.clock.nowMs();
    const timeoutMs = Math.min(options.timeoutMs, remaining(scope));
    if (timeoutMs < LEAST_MS) return notSent(upstreamError('UPSTREAM_TIMEOUT', { message: 'No time is left.' }));
    using limit = limitCall(scope.signal, timeoutMs);
    const trace = (status: number, errorCode: string | null): void => {
      const elapsedMs = deps.clock.nowMs() - startedAtMs;
      const { operation } = request;
      const line = { system: deps.system, operation, status, attempt: number, elapsedMs, requestId: scope.requestId };
      deps.trace({ ...line, errorCode });
      scope.trace?.call({ ...callOf(request, number, startedAtMs), status, elapsedMs, errorCode });
    };
    const record = (status: number, error: MortarError | null): void => {
      trace(status, error?.code ?? null);
      if (error !== null) deps.vitals.failed(options.operationClass, error.code);
      else deps.vitals.succeeded(options.operationClass);
    };
    let status = 0;
    try {
      const { restricted = false } = request;
      const authorization = await orAborted(deps.authorizer.headers(restricted), limit.signal);
      const answer = await deps.transport.send({
        ...httpOf(request, deps.baseUrl, authorization),
        signal: limit.signal,
      });
      status = answer.status;
      deps.vitals.dated(answer.headers['date']);
      const mayRenew = number === 1 && credit.isEnough();
      if (mayRenew && deps.authorizer.renews({ status, headers: authorization, restricted })) {
        credit.spend();
        trace(status, 'UPSTREAM_UNAVAILABLE');
        return { kind: 'token-refused' };
      }
      const response = parseAnswer(answer);
      deps.budget.answered(request, response);
      if (options.accept?.(response) === true) {
        record(status, null);
        return { kind: 'answer', response };
      }
      const error = classify(response, deps.clock.nowMs(), options.mayBeEmpty === true && answer.text === '');
      record(status, error);
      return error === null ? { kind: 'answer', response } : failed(error);
    } catch (thrown) {
      if (scope.signal.aborted) return notSent(upstreamError('UPSTREAM_TIMEOUT', { message: 'The caller left.' }));
      const error = limit.timedOut()
        ? upstreamError('UPSTREAM_TIMEOUT', { cause: thrown, message: `No whole answer within ${timeoutMs} ms.` })
        : connectionError(thrown);
      record(status, error);
      return failed(error);
    }
  }

  /** Whoever is told to slow down is told for the whole account: also at a retry, and by the token's endpoint. */
  function failed(error: MortarError): Outcome {
    const askedMs = error.retryAfterMs ?? (error.code === 'UPSTREAM_RATE_LIMITED' ? deps.pauseMs : 0);
    void deps.budget.pause(askedMs);
    return failure(error, isWorthAnother(error));
  }

  function callOf({ operation }: WireRequest, number: number, startedAtMs: number) {
    return { system: deps.system, operation, attempt: number, startedAtMs, shared: false };
  }

  /** Milliseconds to wait before the one retry; null: no retry. */
  function retryAfter(error: MortarError, scope: CallScope, startedAtMs: number): number | null {
    const left = remaining(scope);
    const isAsked = error.code === 'UPSTREAM_RATE_LIMITED' || error.retryAfterMs !== undefined;
    if (!isAsked && deps.clock.nowMs() - startedAtMs > left) return null;
    const waitMs = isAsked ? (error.retryAfterMs ?? deps.pauseMs) : 10 + deps.random() * 90;
    if (!credit.isEnough() || waitMs + LEAST_MS >= left) return null;
    credit.spend();
    return waitMs;
  }

  async function turn(request: WireRequest, scope: CallScope, options: CallOptions, number: number): Promise<Outcome> {
    const booked = await awaitBudget(request, scope, options.operationClass);
    if (typeof booked !== 'number') return notSent(booked);
    const release = await enterInTime(deps.lanes, options.operationClass, scope, remaining(scope));
    try {
      // While it stood in line another call may have been told to slow down.
      if (deps.budget.pausedMs() > 0) return { kind: 'paused' };
      const end = options.begin?.();
      if (end === null)
        return notSent(upstreamError('UPSTREAM_UNAVAILABLE', { message: 'A later call took its place.' }));
      const breaker = deps.lanes.breakerOf(options.operationClass);
      const ran = await breaker.run(() => attempt(request, scope, options, number), signOf).finally(end);
      if (ran !== null) {
        deps.budget.ended(request, booked);
        return ran.outcome;
      }
      const message = 'The system failed repeatedly and rests for a moment.';
      return notSent(upstreamError('UPSTREAM_UNAVAILABLE', { message }));
    } finally {
      release();
    }
  }

  return async (request, scope, options) => {
    const startedAtMs = deps.clock.nowMs();
    credit.earn();
    let retried = false;
    for (let number = 1; ;) {
      const outcome = await turn(request, scope, options, number);
      if (outcome.kind === 'answer') return outcome.response;
      if (outcome.kind === 'paused') continue;
      if (outcome.kind === 'token-refused') {
        number += 1;
        continue;
      }
      if (!outcome.sent) {
        const elapsedMs = deps.clock.nowMs() - startedAtMs;
        const { code: errorCode } = outcome.error;
        scope.trace?.call({ ...callOf(request, number, startedAtMs), status: null, elapsedMs, errorCode });
      }
      const mayRepeat = (options.repeatable ?? true) || outcome.error.code === 'UPSTREAM_RATE_LIMITED';
      const waitMs = retried || !outcome.again || !mayRepeat ? null : retryAfter(outcome.error, scope, startedAtMs);
      if (waitMs === null) throw named(outcome.error, deps, number, startedAtMs);
      retried = true;
      number += 1;
      await pauseFor(waitMs, scope.signal);
    }
  };
}

function named(error: MortarError, deps: CallerDeps, attempts: number, startedAtMs: number): MortarError {
  return upstreamError(error.code as Parameters<typeof upstreamError>[0], {
    message: error.message,
    cause: error.cause,
    system: deps.system,
    attempts,
    elapsedMs: deps.clock.nowMs() - startedAtMs,
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
  });
}

function httpOf(
  request: WireRequest,
  baseUrl: string,
  authorization: Readonly<Record<string, string>>,
): Omit<HttpExchange, 'signal'> {
  const json: Record<string, string> = request.json === undefined ? {} : { 'content-type': 'application/json' };
  return {
    url: buildUrl(baseUrl, request),
    method: request.method,
    headers: { accept: 'application/json', ...json, ...request.headers, ...authorization },
    body: request.json === undefined ? null : JSON.stringify(request.json),
  };
}

// oxlint-disable-next-line max-params -- who enters where, and how long it may take
async function enterInTime(
  lanes: Lanes,
  operationClass: OperationClass,
  scope: CallScope,
  withinMs: number,
): Promise<() => void> {
  using limit = limitCall(scope.signal, Math.max(0, withinMs));
  return await lanes.enter(operationClass, limit.signal);
}
