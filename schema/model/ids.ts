import { createHash } from 'node:crypto';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** The retailer's canonical item code. */
export type Sku = Branded<'Sku'>;
/** A configured system, for example `erp`; the id of the instance, never of the vendor. */
export type SystemId = Branded<'SystemId'>;
/** A configured sales channel slug, for example `web`. */
export type ChannelId = Branded<'ChannelId'>;
/** `loc_...`; derived from (system, externalId) of the location's home system, see {@link locationIdOf}. */
export type LocationId = Branded<'LocationId'>;
/** `cus_...`; random, minted once by the identity store. */
export type CustomerId = Branded<'CustomerId'>;
/** `sub_...`; random, one for every source profile and every guest order. Never leaves the graph. */
export type SubjectId = Branded<'SubjectId'>;
/** `prf_...`; the graph's id of one source profile. */
export type ProfileId = Branded<'ProfileId'>;
/** `ord_...`; random, minted once by the order directory. */
export type OrderId = Branded<'OrderId'>;

// The only casts to branded ids: callers have just checked or just minted the text.
export const toSku = (text: string): Sku => text as Sku;
export const toSystemId = (text: string): SystemId => text as SystemId;
export const toChannelId = (text: string): ChannelId => text as ChannelId;
export const toLocationId = (text: string): LocationId => text as LocationId;
export const toCustomerId = (text: string): CustomerId => text as CustomerId;
export const toSubjectId = (text: string): SubjectId => text as SubjectId;
export const toProfileId = (text: string): ProfileId => text as ProfileId;
export const toOrderId = (text: string): OrderId => text as OrderId;

/** The name of one record inside one system. */
export interface ExternalRef {
  readonly system: SystemId;
  readonly externalId: string;
}

/**
 * The graph's id of a location: the same in every process and after every restart, because it is derived and not stored.
 * @example locationIdOf({ system: toSystemId('pos'), externalId: 'L1' }) // 'loc_...'
 */
export function locationIdOf(ref: ExternalRef): LocationId {
  const digest = createHash('sha256').update(`${ref.system}\n${ref.externalId}`).digest('base64url');
  return toLocationId(`loc_${digest.slice(0, 16)}`);
}
