import { createPermutation, createRandom } from './random.ts';
import type { Random } from './random.ts';
import type { WorldProfile } from './types.ts';
import { CITIES, FAMILY_NAMES, GIVEN_NAMES, STREET_KINDS } from './words.ts';

/**
 * Makes personal values that look real and are canaries: each call gives text no earlier call gave (birth dates repeat
 * after 28,000 people), so that a scan for the text finds every leak of it. Values meant to be shared are shared by
 * the caller.
 */
export interface PersonalValues {
  readonly givenName: (country: string) => string;
  readonly familyName: (country: string) => string;
  readonly email: (givenName: string, familyName: string) => string;
  /** E.164. */
  readonly phone: (country: string) => string;
  readonly address: (country: string) => NonNullable<WorldProfile['address']>;
  readonly birthDate: () => string;
  readonly loyaltyNumber: () => string;
  /** Ten letters and digits: a marketplace's name for a buyer. */
  readonly alias: () => string;
}

const CONSONANTS = 'bcdfghjklmnprstvwz'.split('');
const VOWELS = 'aeiou'.split('');
const SYLLABLES = CONSONANTS.flatMap((consonant) => VOWELS.map((vowel) => consonant + vowel));
const NAME_SPACE = 10 ** 6;
const DAYS = 28_000;
const DAY_MS = 86_400_000;

export function createPersonalValues(seed: number): PersonalValues {
  const random = createRandom(seed, 'personal values');
  const word = counter(seed, 'name', NAME_SPACE, toWord);
  const token = counter(seed, 'email', 32 ** 6, (value) => value.toString(32).padStart(6, '0'));
  const phoneDigits = counter(seed, 'phone', 10 ** 8, (value) => String(value).padStart(8, '0'));
  const houseNumber = counter(seed, 'house', 10 ** 4, (value) => String((value % 240) + 1));
  const streetWord = counter(seed, 'street', NAME_SPACE, toWord);
  return {
    givenName: (country) => `${random.pick(wordsOf(GIVEN_NAMES, country))}-${word()}`,
    familyName: (country) => `${random.pick(wordsOf(FAMILY_NAMES, country))}-${word()}`,
    email: (givenName, familyName) => `${plain(givenName)}.${plain(familyName)}.${token()}@example.com`,
    phone: (country) => toPhone(country, phoneDigits()),
    address: (country) => toAddress({ country, random, house: houseNumber(), street: streetWord() }),
    birthDate: counter(seed, 'birth', DAYS, (value) =>
      new Date(Date.UTC(1931, 0, 1) + value * DAY_MS).toISOString().slice(0, 10),
    ),
    loyaltyNumber: counter(seed, 'loyalty', 10 ** 9, (value) => `LY${String(value).padStart(9, '0')}`),
    alias: counter(seed, 'alias', 32 ** 8, (value) => `a${value.toString(32).padStart(9, '0')}`),
  };
}

/** How people write one number: as E.164, in the national way, with spaces. The digits stay the same. */
export function rewritePhone(e164: string, random: Random): string {
  const national: Readonly<Record<string, readonly [prefix: string, trunk: string]>> = {
    '+44': ['+44', '0'],
    '+49': ['+49', '0'],
    '+33': ['+33', '0'],
  };
  const [prefix, trunk] = national[e164.slice(0, 3)] ?? ['+1', ''];
  const digits = e164.slice(prefix.length);
  const spaced = `${prefix} ${digits.slice(0, 4)} ${digits.slice(4)}`;
  // Only the retailer's own country is written the national way: elsewhere the prefix would be lost.
  if (prefix !== '+44') return spaced;
  return random.pick([
    spaced,
    `${trunk}${digits.slice(0, 4)} ${digits.slice(4)}`,
    `(${trunk}${digits.slice(0, 4)}) ${digits.slice(4)}`,
    `${prefix} (${trunk})${digits}`,
  ]);
}

function counter(seed: number, label: string, size: number, render: (value: number) => string): () => string {
  const permute = createPermutation(seed, label, size);
  let index = 0;
  return () => {
    index += 1;
    return render(permute(index));
  };
}

function toWord(value: number): string {
  let left = value;
  let text = '';
  // 90 syllables, four of them: more than the million inputs.
  for (let part = 0; part < 4; part += 1) {
    text += SYLLABLES[left % SYLLABLES.length] ?? '';
    left = Math.floor(left / SYLLABLES.length);
  }
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function toPhone(country: string, digits: string): string {
  if (country === 'DE') return `+49151${digits}`;
  if (country === 'FR') return `+336${digits}`;
  if (country === 'US') return `+1202${(Number(digits) % 7_999_999) + 2_000_000}`;
  return `+4474${digits}`;
}

function toAddress(parts: {
  readonly country: string;
  readonly random: Random;
  readonly house: string;
  readonly street: string;
}): NonNullable<WorldProfile['address']> {
  const [city, postalCode] = parts.random.pick(CITIES[parts.country] ?? [['London', 'N1 9GU']]);
  const street = `${parts.house} ${parts.street} ${STREET_KINDS[parts.country] ?? 'Lane'}`;
  return { street, city, postalCode, country: parts.country };
}

function wordsOf(words: Readonly<Record<string, readonly string[]>>, country: string): readonly string[] {
  return words[country] ?? words['GB'] ?? [];
}

function plain(name: string): string {
  const letters =
    name
      .split('-')[0]
      ?.normalize('NFD')
      .toLowerCase()
      .replaceAll(/[^a-z]/g, '') ?? '';
  return letters === '' ? 'hello' : letters;
}
