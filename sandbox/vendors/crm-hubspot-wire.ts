import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import type { World } from '#sandbox/world/types.ts';
import { Refusal } from './refusal.ts';

/** One authenticated request to the HubSpot fake. */
export interface HubspotCall {
  readonly request: Request;
  readonly url: URL;
  readonly world: World;
  readonly nowMs: number;
}

const MAX_BODY_CHARS = 4_000_000;
const RATE_HEADERS = {
  'X-HubSpot-RateLimit-Interval-Milliseconds': '10000',
  'X-HubSpot-RateLimit-Max': '190',
};

/** A HubSpot answer: JSON with the rate-limit headers that every answer carries. */
export function hubspotJson(body: unknown, status = 200, remaining = 189): Response {
  return Response.json(body, {
    status,
    headers: { ...RATE_HEADERS, 'X-HubSpot-RateLimit-Remaining': String(remaining) },
  });
}

/** HubSpot's error answer: `{status: 'error', message, correlationId, category, ...}`. */
export function hubspotError(status: number, category: string, message: string, extra: object = {}): Response {
  const body = { status: 'error', message, correlationId: randomUUID(), category, ...extra };
  return hubspotJson(body, status, status === 429 ? 0 : undefined);
}

/** A refusal of the caller's input. */
export function hubspotRefusal(message: string, status = 400, category = 'VALIDATION_ERROR'): Refusal {
  return new Refusal(hubspotError(status, category, message));
}

/** The body, decoded. Unknown fields are ignored, as HubSpot does. @throws {Refusal} as HubSpot refuses a bad one. */
export async function readHubspotBody<S extends z.ZodType>(call: HubspotCall, schema: S): Promise<z.output<S>> {
  if (!(call.request.headers.get('content-type') ?? '').includes('application/json')) {
    throw hubspotRefusal('Content-Type must be application/json', 415, 'UNSUPPORTED_MEDIA_TYPE');
  }
  const text = await call.request.text();
  if (text.length > MAX_BODY_CHARS) throw hubspotRefusal('The request is too large', 413);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw hubspotRefusal('Invalid input JSON: the body is not valid JSON');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map(({ path, message }) => ({
    message: `${path.join('.')}: ${message}`.slice(0, 300),
  }));
  throw new Refusal(hubspotError(400, 'VALIDATION_ERROR', 'Invalid input JSON', { errors: errors.slice(0, 20) }));
}
