import { isTagged } from './places.ts';

// Other values a field could have, of the kind it has: what does not show in any of them is not decided by the field.

const DAY_MS = 86_400_000;

interface Sources {
  /** Values the same field has elsewhere: words of closed lists, which no guess knows. */
  readonly seen: readonly unknown[];
  /** How many guesses are made besides, at most. */
  readonly guessCount: number;
}

/** Values to put in the place of one. */
export function otherValues(value: unknown, { seen, guessCount }: Sources): readonly unknown[] {
  const others = [...new Set([...seen, ...guesses(value).slice(0, guessCount)])];
  return others.filter((other) => other !== value);
}

function guesses(value: unknown): readonly unknown[] {
  if (typeof value === 'string') return textsLike(value);
  if (typeof value === 'number') return [value + 1, value - 1, 0];
  if (typeof value === 'boolean') return [!value];
  if (isTagged(value)) return taggedLike(value);
  return ['Other text', 7, true, '2026-01-02T03:04:05Z'];
}

function textsLike(text: string): readonly string[] {
  return [...shapes(text), `${text}x`, 'Other text'];
}

function shapes(text: string): readonly string[] {
  if (/^\d{4}-\d\d-\d\dT/.test(text)) return shifted(text).map((atMs) => new Date(atMs).toISOString());
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return shifted(text).map((atMs) => new Date(atMs).toISOString().slice(0, 10));
  if (/^\d\d:\d\d/.test(text)) return ['10:15:00'];
  if (/^\+\d{7,}$/.test(text)) return ['+441174960999'];
  if (/^-?\d+(\.\d+)?$/.test(text)) return [String(Number(text) + 1), '3.25', '0'];
  if (text === 'true' || text === 'false') return [String(text === 'false')];
  if (/^[A-Z]{3}$/i.test(text)) return ['EUR', 'USD'];
  if (/^[A-Z]{2}$/.test(text)) return ['FR', 'DE'];
  if (text.includes('@')) return ['other@example.org'];
  return /^https?:/.test(text) ? ['https://other.example.org/other'] : [];
}

const shifted = (text: string): readonly number[] => {
  const atMs = Date.parse(text);
  // Far enough to be the first or the last of several.
  return Number.isNaN(atMs) ? [] : [atMs + 400 * DAY_MS, atMs - 400 * DAY_MS];
};

function taggedLike(value: Record<string, unknown>): readonly object[] {
  if (typeof value['year'] === 'number')
    return [1, -1].map((years) => ({ ...value, year: Number(value['year']) + years }));
  return ['3.25', '0'].map((decimal) => ({ ...value, decimal }));
}
