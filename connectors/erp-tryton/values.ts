import { z } from 'zod';

// How Tryton writes values in JSON. Source: trytond 6.0, protocols/jsonrpc.py.

/** An exact decimal as text. */
export const decimal = z
  .object({ __class__: z.literal('Decimal'), decimal: z.string() })
  .transform((value) => value.decimal);

/** A truth value; SQLite has none of its own and gives 0 and 1. */
export const flag = z.union([z.boolean(), z.literal(0), z.literal(1)]).transform(Boolean);

const day = {
  year: z.int().min(1).max(9_999),
  month: z.int().min(1).max(12),
  day: z.int().min(1).max(31),
};

/** A day as `YYYY-MM-DD`. */
export const date = z.object({ __class__: z.literal('date'), ...day }).transform((value) => dayText(value));

/** An instant in UTC, to the microsecond: `2026-11-23T11:49:52.680575Z`. */
export const instant = z
  .object({
    __class__: z.literal('datetime'),
    ...day,
    hour: z.int().min(0).max(23),
    minute: z.int().min(0).max(59),
    second: z.int().min(0).max(59),
    microsecond: z.int().min(0).max(999_999),
  })
  .transform((value) => {
    const time = [value.hour, value.minute, value.second].map((part) => String(part).padStart(2, '0')).join(':');
    return `${dayText(value)}T${time}.${String(value.microsecond).padStart(6, '0')}Z`;
  });

/** An instant as Tryton takes it; null when the text is none. */
export function toInstant(text: string): object | null {
  const parts = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?Z$/.exec(text);
  if (parts === null || Number.isNaN(Date.parse(text))) return null;
  const [year, month, of, hour, minute, second] = parts.slice(1, 7).map(Number);
  const microsecond = Number((parts[7] ?? '').padEnd(6, '0'));
  return { __class__: 'datetime', year, month, day: of, hour, minute, second, microsecond };
}

/** The latest of instants; null when there is none. */
export function latest(instants: readonly (string | null | undefined)[]): string | null {
  return instants.reduce<string | null>(
    (most, text) => (typeof text === 'string' && (most === null || text > most) ? text : most),
    null,
  );
}

function dayText(value: { readonly year: number; readonly month: number; readonly day: number }): string {
  const two = (part: number): string => String(part).padStart(2, '0');
  return `${String(value.year).padStart(4, '0')}-${two(value.month)}-${two(value.day)}`;
}
