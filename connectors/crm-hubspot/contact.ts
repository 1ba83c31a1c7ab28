import { z } from 'zod';

import type { ProfileDraft } from '#connectors/kit/draft.ts';
import { countryOf, dateOf, instantOf, textOf } from '#connectors/kit/text.ts';
import type { PostalAddress } from '#schema/model/records.ts';

/** The properties read of a contact; the last seven are custom properties of the retailer's portal. All values are texts. */
export const CONTACT_PROPERTIES = [
  'firstname',
  'lastname',
  'email',
  'phone',
  'address',
  'city',
  'zip',
  'country',
  'date_of_birth',
  'createdate',
  'lastmodifieddate',
  'email_verified',
  'is_test',
  'do_not_link',
  'loyalty_number',
  'preferred_brands',
  'preferred_categories',
  'preferred_sizes',
] as const;
type Property = (typeof CONTACT_PROPERTIES)[number];

export const contact = z.object({
  id: z.string().min(1),
  properties: z.record(z.string(), z.string().nullable()),
  createdAt: z.string().nullish(),
  updatedAt: z.string().nullish(),
});
export type Contact = z.infer<typeof contact>;

export function decodeContact(row: Contact): ProfileDraft {
  const value = (name: Property): string | null => textOf(row.properties[name]);
  const changedAt = changedAtOf(row);
  const address = addressOf(value);
  return {
    externalId: row.id,
    kind: 'PROFILE',
    givenName: value('firstname'),
    familyName: value('lastname'),
    email: value('email'),
    emailVerified: value('email_verified') === 'true',
    phone: value('phone'),
    addresses: address === null ? [] : [address],
    birthDate: dateOf(value('date_of_birth')),
    preferences: preferencesOf(value),
    loyaltyNumber: value('loyalty_number'),
    country: countryOf(value('country')),
    isTest: value('is_test') === 'true',
    doNotLink: value('do_not_link') === 'true',
    createdAt: instantOf(row.properties['createdate'] ?? row.createdAt),
    stamp: { asOf: changedAt, reference: row.id, sequence: changedAt },
  };
}

/** A contact's last change; the property and the envelope's `updatedAt` may differ, the property is what searches filter by. */
export function changedAtOf(row: Contact): string | null {
  return instantOf(row.properties['lastmodifieddate'] ?? row.updatedAt);
}

function addressOf(value: (name: Property) => string | null): PostalAddress | null {
  const line = value('address');
  const city = value('city');
  const postalCode = value('zip');
  if (line === null && city === null && postalCode === null) return null;
  return { lines: line === null ? [] : [line], postalCode, city, region: null, country: countryOf(value('country')) };
}

function preferencesOf(value: (name: Property) => string | null): ProfileDraft['preferences'] {
  const brands = listOf(value('preferred_brands'));
  const categories = listOf(value('preferred_categories'));
  const sizes = listOf(value('preferred_sizes'));
  return brands.length + categories.length + sizes.length === 0 ? null : { brands, categories, sizes };
}

/** HubSpot writes several choices as one text with semicolons. */
function listOf(value: string | null): readonly string[] {
  return (value ?? '')
    .split(';')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}
