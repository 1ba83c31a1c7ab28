import { createHash } from 'node:crypto';
import { z } from 'zod';

import { type ExternalRef, toSystemId } from '#schema/model/ids.ts';
import { MEDIA } from '#schema/model/request.ts';
import { isPurpose, type Purpose } from '#schema/purposes.ts';
import { ruleOn } from './rules.ts';
import { type ConsentUnit, type Decision, DECISIONS } from './states.ts';

/** One past decision, ready for the ledger. */
export interface ImportedDecision {
  readonly lineNumber: number;
  readonly ref: ExternalRef;
  readonly unit: ConsentUnit;
  readonly decision: Decision;
  /** ISO 8601 UTC with milliseconds. */
  readonly at: string;
  readonly evidence: string | null;
  /** The same for the same line, whatever its key order or time zone. */
  readonly naturalKey: string;
}

export type ParsedLine =
  | { readonly ok: true; readonly value: ImportedDecision }
  | { readonly ok: false; readonly reason: string };

export interface LineRules {
  /** Ids of registered recipients. */
  readonly recipients: ReadonlySet<string>;
  /** Ids of configured systems; null: any. */
  readonly systems: ReadonlySet<string> | null;
  /** Epoch milliseconds; nothing was decided after it. */
  readonly latestAtMs: number;
}

/** Longer lines are refused unread: evidence belongs into the archive, not into the ledger. */
export const MAX_LINE_LENGTH = 64 * 1024;

const lineSchema = z.strictObject({
  system: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/),
  externalId: z.string().min(1).max(200),
  purpose: z.string().refine((text): text is Purpose => isPurpose(text)),
  medium: z.enum(MEDIA).nullable().default(null),
  recipient: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,39}$/)
    .nullable()
    .default(null),
  decision: z.enum(DECISIONS),
  at: z.iso.datetime({ offset: true }),
  evidence: z.string().max(16_384).nullable().default(null),
});

const EXPECTED: Readonly<Record<string, string>> = {
  system: 'a system id',
  externalId: 'text of 1 to 200 characters',
  purpose: 'a purpose of the registry',
  medium: `${MEDIA.join(', ')} or null`,
  recipient: 'a partner id or null',
  decision: DECISIONS.join(', '),
  at: 'an ISO 8601 instant with offset',
  evidence: 'text of at most 16,384 characters or null',
};

const bad = (reason: string): ParsedLine => ({ ok: false, reason });

/** Reads one line of the consent file. Reasons name keys and what is expected, never what the line holds. */
export function parseLine(line: string, lineNumber: number, rules: LineRules): ParsedLine {
  if (line.length > MAX_LINE_LENGTH) return bad(`longer than ${MAX_LINE_LENGTH} characters`);
  const parsed = lineSchema.safeParse(parseJson(line));
  if (!parsed.success) return bad(explain(parsed.error.issues[0]));
  const { system, externalId, at, evidence, ...stated } = parsed.data;
  if (rules.systems !== null && !rules.systems.has(system)) return bad('system: not a configured system');
  const atMs = Date.parse(at);
  if (atMs > rules.latestAtMs) return bad('at: lies in the future');
  const rule = ruleOn(stated, rules.recipients);
  if (!rule.ok) return bad(rule.reason);
  const ref = { system: toSystemId(system), externalId };
  const decided = { ref, unit: rule.unit, decision: rule.decision, at: new Date(atMs).toISOString() };
  return { ok: true, value: { ...decided, lineNumber, evidence, naturalKey: naturalKeyOf(decided) } };
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function explain(issue: z.core.$ZodIssue | undefined): string {
  const key = issue?.path[0];
  if (typeof key === 'string') return `${key}: expected ${EXPECTED[key] ?? 'another value'}`;
  if (issue?.code === 'unrecognized_keys') return `has keys other than ${Object.keys(EXPECTED).join(', ')}`;
  return 'not a JSON object';
}

type Decided = Pick<ImportedDecision, 'ref' | 'unit' | 'decision' | 'at'>;

function naturalKeyOf({ ref, unit, decision, at }: Decided): string {
  const parts = [ref.system, ref.externalId, unit.purpose, unit.medium, unit.recipient, decision, at];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
