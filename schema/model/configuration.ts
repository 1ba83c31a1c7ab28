import { z } from 'zod';

// The parts of mortar.config.yaml that domains act on. The whole file (with secrets by environment reference, limits and
// unknown-key refusal with the line) is read by gateway/config.ts alone.

const slug = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'a slug: a-z, 0-9 and - (at most 40)');
const currencyCode = z.string().regex(/^[A-Z]{3}$/, 'an ISO 4217 code of three capital letters');
const clockTime = z.string().regex(/^([01]\d|2[0-4]):[0-5]\d$/, 'a time of day as HH:MM');

/** A connected system: which connector, where, with which credentials (already resolved from the environment). */
export const systemConfig = z.strictObject({
  id: slug,
  connector: z.string(),
  url: z.url({ protocol: /^https?$/ }),
  credentials: z.record(z.string(), z.string()).default({}),
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])).default({}),
});
export type SystemConfig = z.infer<typeof systemConfig>;

export const channelConfig = z.strictObject({
  id: slug,
  name: z.string(),
  kind: z.enum(['WEB', 'APP', 'STORE', 'MARKETPLACE', 'SOCIAL', 'MESSAGING', 'PARTNER']),
  /** The system whose item price is the channel's price. */
  priceSystem: slug,
  /** The system whose item is the channel's own listing; absent: the channel has no listings of its own. */
  listingSystem: slug.optional(),
  /** Kinds of locations that serve the channel. */
  locationKinds: z.array(
    z.enum(['STORE', 'WAREHOUSE', 'DARK_STORE', 'MICRO_FULFILLMENT', 'LOCKER', 'SUPPLIER', 'MARKETPLACE_WAREHOUSE']),
  ),
  /** ISO 4217 code of the currency the channel sells in; absent: the retailer's. Prices in another are not shown. */
  currency: currencyCode.optional(),
  /** Units never offered, per location. */
  bufferUnits: z.int().min(0).default(0),
});
export type ChannelConfig = z.infer<typeof channelConfig>;

/** A location the systems do not describe themselves, or facts that complete what they say. */
const locationConfig = z.strictObject({
  system: slug,
  externalId: z.string(),
  name: z.string().optional(),
  kind: z
    .enum(['STORE', 'WAREHOUSE', 'DARK_STORE', 'MICRO_FULFILLMENT', 'LOCKER', 'SUPPLIER', 'MARKETPLACE_WAREHOUSE'])
    .optional(),
  zone: z.enum(['URBAN', 'SUBURBAN', 'REGIONAL', 'RURAL']).optional(),
  latitude: z.number().min(-90).max(90).optional(),
  longitude: z.number().min(-180).max(180).optional(),
  postalCode: z.string().optional(),
  country: z.string().length(2).optional(),
  timeZone: z.string().optional(),
  openingPeriods: z
    .array(z.strictObject({ weekday: z.int().min(1).max(7), opensAt: clockTime, closesAt: clockTime }))
    .optional(),
  /** Serves these channels only (marketplace-held stock); absent: every channel that lists its kind. */
  onlyChannels: z.array(slug).optional(),
  /** The same place under its names in other systems (witnesses): their stock for it is compared, never added. */
  aliases: z.array(z.strictObject({ system: slug, externalId: z.string() })).optional(),
});
export type LocationConfig = z.infer<typeof locationConfig>;

/** The system whose figure counts for a kind of location; exactly one for a location, the others are witnesses. */
const authorityConfig = z.strictObject({
  system: slug,
  locationKinds: z.array(
    z.enum(['STORE', 'WAREHOUSE', 'DARK_STORE', 'MICRO_FULFILLMENT', 'LOCKER', 'SUPPLIER', 'MARKETPLACE_WAREHOUSE']),
  ),
});
export type AuthorityConfig = z.infer<typeof authorityConfig>;

/** What the domains know of the retailer. */
export const retailConfig = z.strictObject({
  /** ISO 4217 code of what the channels sell in, and of prices whose source states none. */
  currency: currencyCode.default('GBP'),
  /** ISO 3166-1 alpha-2: decides the jurisdiction of a person whose country is unknown only for phone numbers, never for consent. */
  country: z.string().length(2).default('GB'),
  /** The system whose items are the products: its item codes are the skus. */
  catalogSystem: slug.default('erp'),
  /** Days after delivery or collection in which an order can be returned: so long its order relation stays open. */
  returnDays: z.int().min(0).max(3_650).default(30),
  channels: z.array(channelConfig),
  locations: z.array(locationConfig).default([]),
  authorities: z.array(authorityConfig),
  /** Texts a system puts before the retailer's item codes, by system: an item `AMZ-100` then stands for the product `100`. */
  codePrefixes: z.record(slug, z.array(z.string().trim().min(1).max(40)).max(20)).default({}),
  /** Registered recipients of shared data (partner ids). */
  recipients: z
    .array(
      z.strictObject({
        id: slug,
        name: z.string(),
        /** The system through which the recipient's own orders come (a marketplace); absent: none. */
        system: slug.optional(),
      }),
    )
    .default([]),
});
export type RetailConfig = z.infer<typeof retailConfig>;
