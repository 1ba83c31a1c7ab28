import type { Money } from '#schema/model/figures.ts';

// How vendors write names, amounts and counts, as canonical values.

/** Trimmed text; null when absent or empty. */
export function textOf(value: string | null | undefined): string | null {
  const trimmed = value?.trim() ?? '';
  return trimmed === '' ? null : trimmed;
}

/**
 * What a vendor's word means; null for a word the table does not have. The only way to look one up: `table[word]` would find
 * `constructor` in every table.
 */
export function wordOf<V>(table: Readonly<Record<string, V>>, word: string | null | undefined): V | null {
  return word !== null && word !== undefined && Object.hasOwn(table, word) ? (table[word] ?? null) : null;
}

/** An ISO 8601 instant in UTC; null when absent or unreadable (Business Central writes year 1 for "never"). */
export function instantOf(value: string | null | undefined): string | null {
  if (value === null || value === undefined) return null;
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) || atMs <= 0 ? null : new Date(atMs).toISOString();
}

/** `YYYY-MM-DD`; null when absent, unreadable, or without a year (Square writes year 0000 then). */
export function dateOf(value: string | null | undefined): string | null {
  const day = /^\d{4}-\d{2}-\d{2}/.exec(value ?? '')?.[0];
  return day === undefined || day.startsWith('0000') || Number.isNaN(Date.parse(day)) ? null : day;
}

/** An ISO 3166-1 alpha-2 code, also from an English country name; null for anything else (`ZZ` is Square's "unknown"). */
export function countryOf(value: string | null | undefined): string | null {
  const text = value?.trim().toUpperCase() ?? '';
  const code = countryCodes().get(text) ?? text;
  return /^[A-Z]{2}$/.test(code) && code !== 'ZZ' ? code : null;
}

let codes: ReadonlyMap<string, string> | null = null;
/** English names of countries, upper case, and their codes: systems with free-text countries hold both. */
function countryCodes(): ReadonlyMap<string, string> {
  if (codes !== null) return codes;
  const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });
  const letters = Array.from({ length: 26 }, (_, index) => String.fromCodePoint(65 + index));
  const pairs = letters.flatMap((first) => letters.map((second) => first + second));
  const named = pairs.map((code): readonly [string, string] => [names.of(code)?.toUpperCase() ?? '', code]);
  // Old names of a country come first in the alphabet or are aliases; the current codes are set last.
  codes = new Map([...named.filter(([name]) => name !== ''), ['UNITED KINGDOM', 'GB'], ['UK', 'GB'], ['USA', 'US']]);
  return codes;
}

/** An amount as written, padded to the currency's minor digits; null when absent, not a decimal, or without a currency. */
export function moneyOf(amount: string | number | null | undefined, currency: string | null | undefined): Money | null {
  const code = currency?.trim().toUpperCase() ?? '';
  const text = decimalText(amount);
  if (text === null || !/^[A-Z]{3}$/.test(code)) return null;
  const [whole = '0', fraction = ''] = text.split('.');
  const digits = minorDigits(code);
  const padded = fraction.replace(/0+$/, '').padEnd(digits, '0');
  return { amount: padded === '' ? whole : `${whole}.${padded}`, currency: code };
}

/** The exact sum of amounts in one currency; null when there is none, or they are in several. */
export function sumOf(parts: readonly { readonly amount: number; readonly currency: string }[]): Money | null {
  const amounts = parts.map(({ amount, currency }) => moneyOf(amount, currency));
  const [first] = amounts;
  if (first === null || first === undefined) return null;
  let sum = 0n;
  for (const part of amounts) {
    if (part?.currency !== first.currency) return null;
    sum += scaled(part.amount);
  }
  const text = String(sum < 0n ? -sum : sum).padStart(SCALE + 1, '0');
  return moneyOf(`${sum < 0n ? '-' : ''}${text.slice(0, -SCALE)}.${text.slice(-SCALE)}`, first.currency);
}

/** Decimals sums are made with: more than any price has. */
const SCALE = 12;
function scaled(amount: string): bigint {
  const [whole = '0', fraction = ''] = amount.split('.');
  return BigInt(whole + fraction.slice(0, SCALE).padEnd(SCALE, '0'));
}

/** An amount in the currency's smallest unit (pence, cents, yen). */
export function moneyOfMinor(minor: number | null | undefined, currency: string | null | undefined): Money | null {
  if (minor === null || minor === undefined || !Number.isSafeInteger(minor)) return null;
  const digits = minorDigits(currency ?? '');
  const text = String(Math.abs(minor)).padStart(digits + 1, '0');
  const amount = digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
  return moneyOf(minor < 0 ? `-${amount}` : amount, currency);
}

/** Stands for itself and all beyond: fits every number of the graph, and no place holds a hundredth of it. */
const MOST_UNITS = 1_000_000_000;

/**
 * Whole units out of a decimal text or number: a part of a unit is not there when supply, and taken when demand; null when
 * absent or no number. A figure beyond a billion is a billion, which the stock domain quarantines as absurd: were it left
 * out, the last good figure would stand in for it.
 */
export function unitsOf(
  value: string | number | null | undefined,
  rounding: 'supply' | 'demand' = 'supply',
): number | null {
  const isAbsurd = typeof value === 'number' && Math.abs(value) >= MOST_UNITS && Number.isFinite(value);
  const text = isAbsurd ? String(Math.sign(value) * MOST_UNITS) : decimalText(value);
  if (text === null) return null;
  const rounded = rounding === 'supply' ? Math.floor(Number(text)) : Math.ceil(Number(text));
  // `+ 0` turns -0 into 0.
  return Math.min(MOST_UNITS, Math.max(-MOST_UNITS, rounded)) + 0;
}

/** A name written as one text: the last word is the family name. */
export function splitName(name: string | null | undefined): {
  readonly givenName: string | null;
  readonly familyName: string | null;
} {
  const words = (name ?? '')
    .trim()
    .split(/\s+/)
    .filter((word) => word !== '');
  const familyName = words.length > 1 ? (words.at(-1) ?? null) : null;
  const given = familyName === null ? words : words.slice(0, -1);
  return { givenName: given.length === 0 ? null : given.join(' '), familyName };
}

/** A channel slug out of a code a person typed (`WEB` -> `web`); null when it is none. */
export function slugOf(value: string | null | undefined): string | null {
  const slug = value?.trim().toLowerCase() ?? '';
  return /^[a-z][a-z0-9-]{0,39}$/.test(slug) ? slug : null;
}

function decimalText(value: string | number | null | undefined): string | null {
  if (value === null || value === undefined) return null;
  const text = typeof value === 'number' && Number.isFinite(value) ? plainText(value) : String(value).trim();
  return /^-?\d+(\.\d+)?$/.test(text) ? text : null;
}

/** A number without exponent, in the shortest text that reads back the same (at most 10 decimals: prices have fewer). */
function plainText(value: number): string {
  const text = String(value);
  return text.includes('e') ? value.toFixed(10) : text;
}

/** Digits by currency: making a formatter costs more than everything else about an amount. */
const minorDigitsKnown = new Map<string, number>();

function minorDigits(code: string): number {
  const currency = code.trim().toUpperCase();
  // Not every text a system writes there may be remembered.
  if (!/^[A-Z]{3}$/.test(currency)) return 2;
  const known = minorDigitsKnown.get(currency);
  if (known !== undefined) return known;
  const { maximumFractionDigits = 2 } = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions();
  minorDigitsKnown.set(currency, maximumFractionDigits);
  return maximumFractionDigits;
}
