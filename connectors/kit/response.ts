import type { z } from 'zod';

import type { MortarError } from '#platform/errors.ts';

import { upstreamError } from './failure.ts';
import { parseJson } from './json.ts';
import type { HttpAnswer } from './transport.ts';
import type { WireResponse } from './wire.ts';

/**
 * The answer with its body as JSON; `body` undefined when it is empty or not JSON.
 * @throws {MortarError} UPSTREAM_CONTRACT when it has more values than a page of a vendor can have
 */
export function parseAnswer(answer: HttpAnswer): WireResponse {
  return { status: answer.status, headers: answer.headers, body: parseJson(answer.text) };
}

/** What an answer's status means; null: it is an answer to read. Redirects are refused: they would carry our token elsewhere. */
export function classify(response: WireResponse, nowMs: number, mayBeEmpty = false): MortarError | null {
  const { status } = response;
  if (status === 429 || status >= 500 || status === 408) {
    const retryAfterMs = status === 429 || status === 503 ? retryAfterOf(response.headers['retry-after'], nowMs) : null;
    const asked = retryAfterMs === null ? {} : { retryAfterMs };
    return status === 429
      ? upstreamError('UPSTREAM_RATE_LIMITED', { message: 'The system asked us to slow down (429).', ...asked })
      : upstreamError('UPSTREAM_UNAVAILABLE', { message: `The system answered ${status}.`, ...asked });
  }
  if (status === 401 || status === 403) {
    const message = `The system refused our credentials (${status}).`;
    return upstreamError('UPSTREAM_UNAVAILABLE', { message, facts: { refused: true } });
  }
  if (status >= 300 || status < 200) {
    // It refused this one request, and is alive.
    const facts = { answered: status >= 400 };
    return upstreamError('UPSTREAM_CONTRACT', { message: `The system answered ${status}.`, facts });
  }
  if (response.body === undefined && !mayBeEmpty) {
    return upstreamError('UPSTREAM_CONTRACT', { message: 'The answer is not JSON.' });
  }
  return null;
}

/** A system that asks for more is asked again then all the same: a wrong header must not silence it until a restart. */
const LONGEST_PAUSE_MS = 5 * 60_000;

/** Retry-After in milliseconds: seconds or an HTTP date, at most five minutes; null when absent or unreadable. */
function retryAfterOf(header: string | undefined, nowMs: number): number | null {
  if (header === undefined) return null;
  if (/^\d{1,9}(\.\d{1,3})?$/.test(header.trim())) return Math.min(Number(header) * 1000, LONGEST_PAUSE_MS);
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.min(Math.max(0, at - nowMs), LONGEST_PAUSE_MS);
}

/** The body in the shape a definition declares. @throws {MortarError} UPSTREAM_CONTRACT naming the place, never the value */
export function readBody<B>(schema: z.ZodType<B>, response: WireResponse, operation: string): B {
  const result = schema.safeParse(response.body);
  if (result.success) return result.data;
  throw upstreamError('UPSTREAM_CONTRACT', { message: `${operation}: unexpected shape at ${placesOf(result.error)}.` });
}

export function placesOf(error: z.ZodError): string {
  return error.issues
    .slice(0, 3)
    .map((issue) => `${issue.path.map(String).join('.') || 'the root'} (${issue.code})`)
    .join(', ');
}
