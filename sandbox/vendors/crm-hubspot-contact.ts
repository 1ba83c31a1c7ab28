import type { World, WorldProfile } from '#sandbox/world/types.ts';
import { sortKeyed } from './keyset.ts';
import type { Keyed } from './keyset.ts';
import { momentOf, structureOf } from './world-views.ts';

/** How each property of a contact is read; HubSpot's values are texts, empty ones null. E-mails come back in lower case. */
const PROPERTIES: Readonly<Record<string, (profile: WorldProfile) => string | null>> = {
  address: ({ address }) => address?.street ?? null,
  city: ({ address }) => address?.city ?? null,
  country: ({ address }) => address?.country ?? null,
  createdate: ({ createdAt }) => toInstant(createdAt),
  date_of_birth: ({ birthDate }) => birthDate,
  do_not_link: () => 'false',
  email: ({ email }) => email?.toLowerCase() ?? null,
  email_verified: ({ emailVerified }) => String(emailVerified),
  firstname: ({ givenName }) => givenName,
  hs_object_id: ({ externalId }) => externalId,
  is_test: ({ isTest }) => String(isTest),
  lastmodifieddate: ({ updatedAt }) => toInstant(updatedAt),
  lastname: ({ familyName }) => familyName,
  loyalty_number: ({ loyaltyNumber }) => loyaltyNumber,
  phone: ({ phone }) => phone,
  preferred_brands: ({ preferences }) => toList(preferences?.brands),
  preferred_categories: ({ preferences }) => toList(preferences?.categories),
  preferred_sizes: ({ preferences }) => toList(preferences?.sizes),
  zip: ({ address }) => address?.postalCode ?? null,
};

/** What HubSpot gives when no property is asked for. */
export const DEFAULT_PROPERTIES = [
  'createdate',
  'email',
  'firstname',
  'hs_object_id',
  'lastmodifieddate',
  'lastname',
] as const;
const ALWAYS = ['createdate', 'hs_object_id', 'lastmodifieddate'];

/** True for a property this account has. */
export const isProperty = (name: string) => Object.hasOwn(PROPERTIES, name);

/** A property's value; null: empty, or no such property. */
export function propertyOf(profile: WorldProfile, name: string): string | null {
  return isProperty(name) ? (PROPERTIES[name]?.(profile) ?? null) : null;
}

/** A contact as HubSpot writes it; unknown properties are left out, empty ones null. */
export function toContact(
  profile: WorldProfile,
  properties: readonly string[],
  withHistory: readonly string[] = [],
): object {
  const names = new Set([...properties.filter(isProperty), ...withHistory.filter(isProperty), ...ALWAYS]);
  const updatedAt = toInstant(profile.updatedAt);
  const history = withHistory.filter(isProperty).map((name) => {
    const value = propertyOf(profile, name) ?? '';
    return [name, [{ value, timestamp: updatedAt, sourceType: 'CRM_UI' }]];
  });
  return {
    id: profile.externalId,
    properties: Object.fromEntries([...names].map((name) => [name, propertyOf(profile, name)])) as object,
    ...(withHistory.length === 0 ? {} : { propertiesWithHistory: Object.fromEntries(history) as object }),
    createdAt: toInstant(profile.createdAt),
    updatedAt,
    archived: false,
  };
}

/** The CRM's profiles by id. */
export function contactsById(world: World): ReadonlyMap<string, WorldProfile> {
  return structureOf(world, 'hubspot.byId', () => {
    const own = world.profiles.filter(({ system }) => system === 'crm');
    return new Map(own.map((profile) => [profile.externalId, profile]));
  });
}

/** The CRM's profiles by lower-cased e-mail; of several with one e-mail the first. */
export function contactsByEmail(world: World): ReadonlyMap<string, WorldProfile> {
  return momentOf(world, 'hubspot.byEmail', () => {
    const known = [...contactsById(world).values()].filter(({ email }) => email !== null);
    return new Map(known.toReversed().map((profile) => [(profile.email as string).toLowerCase(), profile]));
  });
}

/** The CRM's profiles in the order of their ids: numbers first by value, then the others. */
export function contactsInOrder(world: World): readonly Keyed<WorldProfile>[] {
  return momentOf(world, 'hubspot.inOrder', () => sortKeyed([...contactsById(world).values()].map(inOrder)));
}

/** A contact's place in the order of ids. */
export function idPosition(id: string): { readonly at: number; readonly id: string } {
  return { at: /^\d{1,15}$/.test(id) ? Number(id) : Number.MAX_SAFE_INTEGER, id };
}

const inOrder = (value: WorldProfile) => ({ ...idPosition(value.externalId), value });
const toInstant = (text: string) => new Date(text).toISOString();
const toList = (values: readonly string[] | undefined) => (values?.length ? values.join(';') : null);
