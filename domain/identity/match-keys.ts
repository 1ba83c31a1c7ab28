import { createHmac, createSecretKey } from 'node:crypto';

import {
  foldGivenName,
  foldName,
  normalizeBirthDate,
  normalizeEmail,
  normalizeLoyaltyNumber,
  normalizePhone,
} from './normalize.ts';
import type { ProfileRecord } from '#schema/model/records.ts';

/** Keyed hashes of one profile's natural keys; null: the key is absent or unusable. */
export interface ProfileHashes {
  readonly email_hash: string | null;
  readonly phone_hash: string | null;
  readonly surname_hash: string | null;
  readonly given_hash: string | null;
  readonly given_initial_hash: string | null;
  readonly birth_hash: string | null;
  readonly loyalty_hash: string | null;
}

/** Turns natural keys into keyed hashes: look-ups work, and the stored hash tells nothing without the key. */
export interface MatchKeys {
  readonly email: (email: string) => string | null;
  readonly phone: (phone: string, country: string | null) => string | null;
  /** A card's number. Null for phone-shaped ones. */
  readonly loyaltyNumber: (number: string) => string | null;
  /** What a loyalty account is filed under: its number, or the phone it is mapped to. */
  readonly loyaltyAccount: (number: string, country: string | null) => string | null;
  /** Every hash an account may be filed under that a person names so; empty: the text is neither number nor phone. */
  readonly loyaltyLookup: (number: string, country: string | null) => readonly string[];
  readonly profile: (profile: ProfileRecord, country: string) => ProfileHashes;
}

/** @param key 32 bytes, the product's `idHash` key. */
export function createMatchKeys(key: Uint8Array): MatchKeys {
  const secret = createSecretKey(key);
  // 132 bits: no collisions among billions, and half the index of a full digest.
  const hash = (kind: string, value: string | null): string | null =>
    value === null ? null : createHmac('sha256', secret).update(`${kind}\n${value}`).digest('base64url').slice(0, 22);
  const phone = (text: string | null, country: string | null): string | null =>
    hash('phone', normalizePhone(text, country));

  return {
    email: (email) => hash('email', normalizeEmail(email)),
    phone,
    loyaltyNumber: (number) => hash('loyalty', normalizeLoyaltyNumber(number)),
    loyaltyAccount: (number, country) => hash('loyalty', normalizeLoyaltyNumber(number)) ?? phone(number, country),
    loyaltyLookup: (number, country) =>
      [hash('loyalty', normalizeLoyaltyNumber(number)), phone(number, country)].filter((found) => found !== null),
    profile(profile, country) {
      const given = foldGivenName(profile.givenName);
      // A marketplace gives every order an alias of its own making: it says nothing of the person.
      const email = profile.kind === 'MARKETPLACE_BUYER' ? null : normalizeEmail(profile.email);
      return {
        email_hash: hash('email', email),
        phone_hash: phone(profile.phone, profile.country ?? country),
        surname_hash: hash('surname', foldName(profile.familyName)),
        // An initial is no name: it is only compared with other initials.
        given_hash: given !== null && given.length > 1 ? hash('given', given) : null,
        given_initial_hash: hash('initial', given?.slice(0, 1) ?? null),
        birth_hash: hash('birth', normalizeBirthDate(profile.birthDate)),
        loyalty_hash: hash('loyalty', normalizeLoyaltyNumber(profile.loyaltyNumber)),
      };
    },
  };
}
