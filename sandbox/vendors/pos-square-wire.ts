import { z } from 'zod';
import type { World } from '#sandbox/world/types.ts';
import { decodeCursor } from './keyset.ts';
import type { Position } from './keyset.ts';
import { Refusal } from './refusal.ts';

/** One authenticated request to the Square fake. */
export interface SquareCall {
  readonly request: Request;
  readonly url: URL;
  readonly world: World;
  readonly nowMs: number;
}

export interface SquareProblem {
  readonly code: string;
  readonly detail: string;
  readonly field?: string;
  /** @default INVALID_REQUEST_ERROR */
  readonly category?: string;
}

const MAX_BODY_CHARS = 4_000_000;

/** Square's error answer: `{errors: [{category, code, detail, field?}]}`. */
export function squareErrors(status: number, problems: readonly SquareProblem[]): Response {
  const errors = problems.map((problem) => ({ category: 'INVALID_REQUEST_ERROR', ...problem }));
  return Response.json({ errors }, { status });
}

/** A refusal with one error. */
export function squareRefusal(status: number, code: string, detail: string, field?: string): Refusal {
  return new Refusal(squareErrors(status, [field === undefined ? { code, detail } : { code, detail, field }]));
}

/** The body, decoded. @throws {Refusal} as Square refuses what is no JSON, has unknown fields or breaks a limit. */
export async function readSquareBody<S extends z.ZodType>(call: SquareCall, schema: S): Promise<z.output<S>> {
  if (!(call.request.headers.get('content-type') ?? '').includes('application/json')) {
    throw squareRefusal(415, 'UNSUPPORTED_MEDIA_TYPE', 'Content-Type must be application/json');
  }
  const text = await call.request.text();
  if (text.length > MAX_BODY_CHARS) throw squareRefusal(413, 'REQUEST_ENTITY_TOO_LARGE', 'The body is too large');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw squareRefusal(400, 'EXPECTED_JSON_BODY', 'The body is not valid JSON');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Refusal(squareErrors(400, parsed.error.issues.map(toProblem)));
}

/** Where a page starts; null: at the beginning. @throws {Refusal} when the cursor is not one of this query. */
export function squarePosition(cursor: string | null | undefined, query: unknown): Position | null {
  if (cursor === null || cursor === undefined || cursor === '') return null;
  const position = decodeCursor(cursor, query);
  if (position === null) throw squareRefusal(400, 'INVALID_CURSOR', 'The cursor is not valid for this query', 'cursor');
  return position;
}

/** An RFC 3339 instant. */
export const instant = z
  .string()
  .refine((text) => /^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(Date.parse(text)), { message: 'INVALID_TIME' });

/** A half-open or closed range of instants; both ends inclusive. */
export const timeRange = z.strictObject({ start_at: instant.nullish(), end_at: instant.nullish() });

/** True when an instant (milliseconds) lies in the range. */
export function isWithin(range: z.output<typeof timeRange> | undefined, atMs: number): boolean {
  if (range === undefined) return true;
  if (range.start_at && atMs < Date.parse(range.start_at)) return false;
  return !(range.end_at && atMs > Date.parse(range.end_at));
}

/** An id as Square takes it: any short text; unknown ones are answered as not found. */
export const squareId = z.string().min(1).max(192);

/** A sum of money; `amount` in minor units. */
export const toMoney = (amount: number, currency: string) => ({ amount, currency });

/** Square's version number of an object: it grows with its last change. */
export const toVersion = (updatedAt: string) => Date.parse(updatedAt);

function toProblem(issue: z.core.$ZodIssue): SquareProblem {
  const field = issue.path.map(String).join('.');
  const detail = `${field || 'body'}: ${issue.message}`.slice(0, 300);
  return field === '' ? { code: codeOf(issue), detail } : { code: codeOf(issue), detail, field };
}

function codeOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'unrecognized_keys':
      return 'UNKNOWN_BODY_PARAMETER';
    case 'too_big':
      return { array: 'ARRAY_LENGTH_TOO_LONG', string: 'VALUE_TOO_LONG' }[issue.origin as string] ?? 'VALUE_TOO_HIGH';
    case 'too_small':
      return { array: 'ARRAY_LENGTH_TOO_SHORT', string: 'VALUE_TOO_SHORT' }[issue.origin as string] ?? 'VALUE_TOO_LOW';
    case 'invalid_type':
      return issue.input === undefined && /received undefined/.test(issue.message)
        ? 'MISSING_REQUIRED_PARAMETER'
        : expectedCode(issue.expected);
    case 'invalid_value':
      return 'INVALID_ENUM_VALUE';
    default:
      return issue.message === 'INVALID_TIME' ? 'INVALID_TIME' : 'INVALID_VALUE';
  }
}

function expectedCode(expected: string): string {
  const known: Record<string, string> = {
    string: 'EXPECTED_STRING',
    array: 'EXPECTED_ARRAY',
    object: 'EXPECTED_OBJECT',
    int: 'EXPECTED_INTEGER',
    number: 'EXPECTED_INTEGER',
    boolean: 'EXPECTED_BOOLEAN',
  };
  return known[expected] ?? 'INCORRECT_TYPE';
}
