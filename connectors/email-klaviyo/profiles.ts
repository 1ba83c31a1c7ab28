import { z } from 'zod';

import type { BatchReadDefinition, FeedDefinition } from '#connectors/kit/definition.ts';
import type { ProfileDraft } from '#connectors/kit/draft.ts';
import { byKey, readRows, rows, upserts } from '#connectors/kit/rows.ts';
import { countryOf, instantOf, textOf } from '#connectors/kit/text.ts';
import { advance, readWatermark, restartRun } from '#connectors/kit/watermark.ts';
import { queryOfLink } from '#connectors/kit/wire.ts';
import type { WireRequest } from '#connectors/kit/wire.ts';
import type { PostalAddress } from '#schema/model/records.ts';

import type { KlaviyoSettings } from './settings.ts';

const text = z.string().nullish();
const location = z
  .object({ address1: text, address2: text, city: text, country: text, region: text, zip: text })
  .nullish();
const profile = z.object({
  id: z.string().min(1),
  attributes: z.object({
    email: text,
    phone_number: text,
    first_name: text,
    last_name: text,
    created: text,
    updated: text,
    location,
    properties: z.record(z.string(), z.unknown()).nullish(),
  }),
});
type Profile = z.infer<typeof profile>;

export const page = z.object({ data: rows, links: z.object({ next: text }).nullish() });
export type Page = z.infer<typeof page>;

/** Ids are ULIDs; a stricter shape than the filter's language needs, so that no key can be more than a key. */
export const isProfileId = (id: string): boolean => /^[A-Za-z0-9-]{1,64}$/.test(id);

const FIELDS = 'email,phone_number,first_name,last_name,created,updated,location,properties';

/** 50 ids keep the URL below 2,000 characters. */
export const IDS_PER_CALL = 50;

export function byIds(ids: readonly string[], fields: Readonly<Record<string, string>>): WireRequest {
  const list = ids.map((id) => JSON.stringify(id)).join(',');
  return {
    operation: 'get_profiles',
    method: 'GET',
    path: '/api/profiles',
    query: { filter: `any(id,[${list}])`, 'page[size]': 100, ...fields },
  };
}

function addressOf(place: Profile['attributes']['location']): PostalAddress | null {
  const lines = [textOf(place?.address1), textOf(place?.address2)].filter((line) => line !== null);
  const [postalCode, city, region] = [textOf(place?.zip), textOf(place?.city), textOf(place?.region)];
  if (lines.length === 0 && postalCode === null && city === null) return null;
  return { lines, postalCode, city, region, country: countryOf(place?.country) };
}

function decodeProfile(row: Profile, settings: KlaviyoSettings): ProfileDraft {
  const { attributes } = row;
  const address = addressOf(attributes.location);
  const changedAt = instantOf(attributes.updated);
  const property = (name: string | undefined): unknown =>
    name === undefined ? undefined : attributes.properties?.[name];
  const loyalty = property(settings.loyaltyNumberProperty);
  return {
    externalId: row.id,
    kind: 'PROFILE',
    givenName: textOf(attributes.first_name),
    familyName: textOf(attributes.last_name),
    email: textOf(attributes.email),
    // An address that subscribed was not proven to be its holder's.
    emailVerified: false,
    phone: textOf(attributes.phone_number),
    addresses: address === null ? [] : [address],
    birthDate: null,
    preferences: null,
    loyaltyNumber: typeof loyalty === 'string' ? textOf(loyalty) : null,
    country: countryOf(attributes.location?.country),
    isTest: property(settings.testProperty) === true,
    doNotLink: property(settings.doNotLinkProperty) === true,
    createdAt: instantOf(attributes.created),
    stamp: { asOf: changedAt, reference: row.id, sequence: changedAt },
  };
}

export const profilesById: BatchReadDefinition<string, ProfileDraft, KlaviyoSettings, Page> = {
  max: IDS_PER_CALL,
  keyOf: (id) => id,
  accepts: isProfileId,
  request: (ids) => byIds(ids, { 'fields[profile]': FIELDS }),
  page,
  decode: (bodies, _ids, { settings }) => {
    const list = bodies.flatMap((body) => body.data);
    return byKey(
      readRows(profile, list, (row) => decodeProfile(row, settings)),
      (draft) => draft.externalId,
    );
  },
  absent: null,
  freshnessMs: null,
};

/** Every profile, then the changed ones, oldest change first. Deleted profiles are not listed. */
export const profileFeed: FeedDefinition<ProfileDraft, KlaviyoSettings, Page> = {
  feed: 'profiles',
  intervalMs: 60_000,
  request: (cursor) => {
    const { since, token } = readWatermark(cursor);
    return {
      operation: 'get_profiles',
      method: 'GET',
      path: '/api/profiles',
      query: {
        filter: since === null ? undefined : `greater-than(updated,${since})`,
        sort: 'updated',
        'page[size]': 100,
        'page[cursor]': token ?? undefined,
        'fields[profile]': FIELDS,
      },
    };
  },
  page,
  decode: (body, cursor, { settings, nowMs }) => {
    const { values, rejected } = readRows(profile, body.data, (row) => decodeProfile(row, settings));
    // Only the cursor is taken out of the link: the rest of the query stays ours.
    const token = textOf(queryOfLink(body.links?.next ?? '')?.['page[cursor]']);
    const changedAt = values.map((value) => value.stamp.asOf);
    return { ...advance(cursor, { changedAt, token }, nowMs), changes: upserts(values), rejected };
  },
  expired: ({ status }) => status === 400,
  restart: restartRun,
};
