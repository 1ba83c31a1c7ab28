import { randomUUID } from 'node:crypto';
import type { World } from '#sandbox/world/types.ts';
import { decodeCursor } from './keyset.ts';
import { Refusal } from './refusal.ts';

/** The one marketplace the sandbox retailer sells on: Amazon.co.uk. */
export const AMAZON_MARKETPLACE_ID = 'A1F83G8C2ARO7P';
export const AMAZON_SELLER_ID = 'A2MORTARSANDBOX';

/** What a restricted data token opens. */
export type Restricted = 'buyerInfo' | 'shippingAddress';

/** One authorized request to the SP-API fake. */
export interface AmazonCall {
  readonly request: Request;
  readonly url: URL;
  readonly world: World;
  readonly nowMs: number;
  /** The restricted data its token opens for this path; empty with an ordinary access token. */
  readonly restricted: ReadonlySet<Restricted>;
}

/** An SP-API answer with its request id. `rate` is the operation's published limit in requests a second. */
export function amazonJson(body: unknown, status = 200, rate?: number): Response {
  const headers: Record<string, string> = { 'x-amzn-RequestId': randomUUID() };
  if (rate !== undefined) headers['x-amzn-RateLimit-Limit'] = String(rate);
  return Response.json(body, { status, headers });
}

/** SP-API's error answer: `{errors: [{code, message, details}]}`. */
export function amazonError(status: number, code: string, message: string, details = ''): Response {
  return amazonJson({ errors: [{ code, message, details }] }, status);
}

/** A refusal of the caller's input. */
export function amazonRefusal(details: string, status = 400, code = 'InvalidInput'): Refusal {
  return new Refusal(
    amazonError(status, code, 'Request has missing or invalid parameters and cannot be parsed.', details),
  );
}

/** A comma separated query parameter; empty when absent. @throws {Refusal} when longer than `max` or with a foreign value. */
export function listParameter(url: URL, name: string, max: number, allowed?: readonly string[]): readonly string[] {
  const values = url.searchParams
    .getAll(name)
    .flatMap((text) => text.split(','))
    .filter((text) => text !== '');
  if (values.length > max) throw amazonRefusal(`${name} takes at most ${max} values`);
  if (allowed !== undefined && values.some((value) => !allowed.includes(value))) {
    throw amazonRefusal(`${name} has an unknown value`);
  }
  return values;
}

/** An ISO 8601 instant in milliseconds; null when absent. @throws {Refusal} when it is none. */
export function instantParameter(url: URL, name: string): number | null {
  const text = url.searchParams.get(name);
  if (text === null) return null;
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw amazonRefusal(`${name} is no ISO 8601 date`);
  return at;
}

/** A whole number in 1..max. @throws {Refusal} when outside. */
export function sizeParameter(url: URL, name: string, size: { readonly max: number; readonly usual: number }): number {
  const text = url.searchParams.get(name);
  if (text === null) return size.usual;
  const value = Number(text);
  if (!/^\d{1,6}$/.test(text) || value < 1 || value > size.max) throw amazonRefusal(`${name} must be 1 to ${size.max}`);
  return value;
}

/** Refuses a request that names no marketplace where one is `required`, or a foreign one. */
export function requireMarketplace(url: URL, name: string, max: number, required = true): void {
  const ids = listParameter(url, name, max);
  if (required && ids.length === 0) throw amazonRefusal(`${name} is required`);
  if (ids.some((id) => id !== AMAZON_MARKETPLACE_ID)) throw amazonRefusal(`${name} has an unknown marketplace`);
}

/** Where a page starts; null: at the beginning. @throws {Refusal} when the token is foreign or older than `maxAgeMs`. */
export function amazonPosition(call: AmazonCall, parameter: string, query: unknown, maxAgeMs = Infinity) {
  const token = call.url.searchParams.get(parameter);
  if (token === null || token === '') return null;
  const position = decodeCursor(token, query);
  if (position === null) throw amazonRefusal(`${parameter} is not valid for this request`);
  if (call.nowMs - position.issuedAtMs > maxAgeMs) throw amazonRefusal(`${parameter} has expired`);
  return position;
}

/** Minor units as the decimal text Amazon writes. */
export const toDecimal = (minor: number) => (minor / 100).toFixed(2);
