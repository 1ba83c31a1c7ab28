import type { Clock } from '#platform/clock.ts';
import type { MortarError } from '#platform/errors.ts';
import type { CallScope } from '#schema/model/request.ts';

import type { Caller } from './caller.ts';
import { upstreamError } from './failure.ts';
import type { WireRequest, WireResponse } from './wire.ts';

interface Flight {
  readonly deadlineAtMs: number;
  readonly controller: AbortController;
  readonly answer: Promise<WireResponse>;
  waiting: number;
  landed: boolean;
}

/**
 * Identical reads of one moment share one call, within a role and purpose (`scope.shareKey`); reads without one, and feeds,
 * are never shared. A reader that has more time than the call it would join makes its own; the call is stopped when the last
 * reader has left.
 */
export function shareFlights(
  call: Caller,
  { system, clock }: { readonly system: string; readonly clock: Clock },
): Caller {
  const flights = new Map<string, Flight>();
  return async (request, scope, options) => {
    if (scope.shareKey === undefined || options.operationClass !== 'read') return await call(request, scope, options);
    const key = flightKey(scope.shareKey, request);
    const known = flights.get(key);
    // A little more time is no reason to ask twice: requests of one moment differ by milliseconds.
    if (known !== undefined && scope.deadlineAtMs <= known.deadlineAtMs + 50) {
      const startedAtMs = clock.nowMs();
      const line = { system, operation: request.operation, attempt: 1, startedAtMs, shared: true };
      const tell = (status: number, errorCode: string | null): void =>
        scope.trace?.call({ ...line, status, errorCode, elapsedMs: clock.nowMs() - startedAtMs });
      return await traced(join(known, scope), tell);
    }
    const controller = new AbortController();
    const { deadlineAtMs } = scope;
    const answer = call(request, { ...scope, signal: controller.signal }, options);
    const flight: Flight = { deadlineAtMs, controller, answer, waiting: 0, landed: false };
    flights.set(key, flight);
    const land = (): void => {
      flight.landed = true;
      if (flights.get(key) === flight) flights.delete(key);
    };
    answer.then(land, land);
    // Nobody may join a call that is being stopped.
    controller.signal.addEventListener('abort', land, { once: true });
    return await join(flight, scope);
  };
}

/** Tells a joined call once it has ended. */
async function traced(
  answer: Promise<WireResponse>,
  tell: (status: number, errorCode: string | null) => void,
): Promise<WireResponse> {
  try {
    const response = await answer;
    tell(response.status, null);
    return response;
  } catch (error) {
    tell(0, error instanceof Error && 'code' in error ? String(error.code) : 'INTERNAL_SERVER_ERROR');
    throw error;
  }
}

async function join(flight: Flight, { signal }: CallScope): Promise<WireResponse> {
  const left = Promise.withResolvers<never>();
  const leave = (): void => left.reject(callerLeft());
  flight.waiting += 1;
  try {
    if (signal.aborted) throw callerLeft();
    signal.addEventListener('abort', leave, { once: true });
    return await Promise.race([flight.answer, left.promise]);
  } finally {
    signal.removeEventListener('abort', leave);
    flight.waiting -= 1;
    if (flight.waiting === 0 && !flight.landed) flight.controller.abort();
  }
}

function callerLeft(): MortarError {
  return upstreamError('UPSTREAM_TIMEOUT', { message: 'The caller left.' });
}

function flightKey(
  shareKey: string,
  { operation, method, path, query, json, shareAs = json, headers, restricted }: WireRequest,
): string {
  return JSON.stringify([shareKey, operation, method, path, query, shareAs, headers, restricted]);
}
