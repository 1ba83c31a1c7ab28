import { type CountryCode, isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/min';

// One spelling for each natural key, so that equal people give equal hashes. Null: not usable as a key.

/** Trimmed and lower-cased; null when it is not shaped like an address. Mailbox rules of providers are not guessed. */
export function normalizeEmail(text: string | null): string | null {
  const email = text?.normalize('NFC').trim().toLowerCase() ?? '';
  return /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email) && email.length <= 254 ? email : null;
}

/**
 * E.164. `country` (ISO 3166-1 alpha-2) reads numbers without an international prefix.
 * Null when its length is impossible, or with an extension: behind an extension are many people.
 */
export function normalizePhone(text: string | null, country: string | null): string | null {
  if (text === null || text.length > 60) return null;
  const parsed = parsePhoneNumberFromString(text, countryCode(country));
  // Possible, not valid: ranges open faster than a library's tables, and two equal numbers are equal all the same.
  return parsed !== undefined && parsed.isPossible() && parsed.ext === undefined ? parsed.number : null;
}

function countryCode(country: string | null): CountryCode | undefined {
  const code = country?.toUpperCase();
  return code !== undefined && isSupportedCountry(code) ? code : undefined;
}

/** Letters only, without case and diacritics: `O'Néill-Løw` gives `oneilllow`. */
export function foldName(text: string | null): string | null {
  const folded = (text ?? '')
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[øđłßæœþðı]/g, (letter) => LETTERS[letter] ?? letter)
    .replaceAll(/[^\p{Letter}]/gu, '');
  return folded === '' ? null : folded;
}

// Letters that have no decomposition in Unicode but are written without their mark in most systems.
const LETTERS: Readonly<Record<string, string>> = {
  ø: 'o',
  đ: 'd',
  ł: 'l',
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  þ: 'th',
  ð: 'd',
  ı: 'i',
};

/** The first given name, folded: systems differ in whether they keep the second. */
export function foldGivenName(text: string | null): string | null {
  return foldName(text?.trim().split(/[\s.]+/u)[0] ?? null);
}

/** Upper-case letters and digits; null for phone numbers, to which some systems map accounts instead of a number. */
export function normalizeLoyaltyNumber(text: string | null): string | null {
  if (text === null || text.trim().startsWith('+')) return null;
  const number = text
    .normalize('NFKC')
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]/g, '');
  return number.length >= 4 ? number : null;
}

/** `YYYY-MM-DD` of a real day, else null. */
export function normalizeBirthDate(text: string | null): string | null {
  if (text === null || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return null;
  const instant = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(instant) || new Date(instant).toISOString().slice(0, 10) !== text ? null : text;
}

/** Whether the person was of age at the instant; null: birth date unknown. */
export function ageBandOf(birthDate: string | null, atMs: number): 'ADULT' | 'MINOR' | null {
  const born = normalizeBirthDate(birthDate);
  if (born === null) return null;
  const today = new Date(atMs).toISOString().slice(0, 10);
  const eighteenth = `${String(Number(born.slice(0, 4)) + ADULT_AGE).padStart(4, '0')}${born.slice(4)}`;
  return eighteenth <= today ? 'ADULT' : 'MINOR';
}

const ADULT_AGE = 18;
