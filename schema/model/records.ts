import type { Money, Provenance } from './figures.ts';
import type { ExternalRef, LocationId, Sku, SystemId } from './ids.ts';

// Canonical records: what connectors decode vendor answers into. They carry no vendor words, and a value the source
// does not have is null. Every record says where it came from.

export type BaseUnit = 'PIECE' | 'GRAM' | 'MILLILITER' | 'MILLIMETER';

/** An item as one system knows it; `code` is the text the crosswalk matches to a {@link Sku} (ERP: the sku itself). */
export interface ItemRecord extends ExternalRef {
  /** The retailer's code as this system carries it; null when the item has none (it is then listed as unmatched). */
  readonly code: string | null;
  /** Vendor's kind of id, for example `item`, `variation`, `asin`. */
  readonly kind: string;
  readonly gtin: string | null;
  readonly title: string | null;
  readonly brand: string | null;
  readonly category: string | null;
  readonly productType: string | null;
  readonly baseUnit: BaseUnit | null;
  readonly hazardous: boolean | null;
  /** The price this system states for the item; null when it states none. */
  readonly price: Money | null;
  /** Units this system itself offers on its own listing (marketplaces); null elsewhere. */
  readonly publishedQuantity: number | null;
  /** Company-wide quantity (ERP witness); null elsewhere. Never per location, never added to anything. */
  readonly companyQuantity: number | null;
  readonly blocked: boolean;
  readonly provenance: Provenance;
}

export type LocationKind =
  | 'STORE'
  | 'WAREHOUSE'
  | 'DARK_STORE'
  | 'MICRO_FULFILLMENT'
  | 'LOCKER'
  | 'SUPPLIER'
  | 'MARKETPLACE_WAREHOUSE';
export type Zone = 'URBAN' | 'SUBURBAN' | 'REGIONAL' | 'RURAL';

/** One opening period in the location's own time zone; `weekday` 1 = Monday .. 7 = Sunday; times `HH:MM`. */
export interface OpeningPeriod {
  readonly weekday: number;
  readonly opensAt: string;
  readonly closesAt: string;
}

/** A place that holds stock or serves customers, as its home system (or the configuration) describes it. */
export interface LocationRecord extends ExternalRef {
  readonly id: LocationId;
  readonly name: string | null;
  readonly kind: LocationKind;
  readonly zone: Zone | null;
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly postalCode: string | null;
  readonly country: string | null;
  /** IANA name. */
  readonly timeZone: string | null;
  /** Empty: opening hours unknown. */
  readonly openingPeriods: readonly OpeningPeriod[];
}

/**
 * Stock of one item at one location as one system states it, in whole base units. `onHand` includes committed units
 * unless `nets` says a state was already subtracted. Negative or absurd figures are passed on: the domain quarantines.
 */
export interface StockReading extends ExternalRef {
  /** The retailer's code as this system carries it. */
  readonly code: string;
  /** The system's own id of the location. */
  readonly locationExternalId: string;
  readonly onHand: number | null;
  readonly committed: number | null;
  readonly incoming: number | null;
  /** States the source has already subtracted from `onHand`. */
  readonly nets: readonly ('committed' | 'held')[];
  readonly provenance: Provenance;
}

export interface PostalAddress {
  readonly lines: readonly string[];
  readonly postalCode: string | null;
  readonly city: string | null;
  readonly region: string | null;
  /** ISO 3166-1 alpha-2. */
  readonly country: string | null;
}

/**
 * One person as one system knows them. All values are personal: they are never logged, cached in plain or used as keys.
 * `verified*` says that the source itself proved the person holds the address or number.
 */
export interface ProfileRecord extends ExternalRef {
  /** PROFILE: a customer record. GUEST: made from a guest order. MARKETPLACE_BUYER: may only serve fulfillment and service. */
  readonly kind: 'PROFILE' | 'GUEST' | 'MARKETPLACE_BUYER';
  readonly givenName: string | null;
  readonly familyName: string | null;
  readonly email: string | null;
  readonly emailVerified: boolean;
  readonly phone: string | null;
  readonly addresses: readonly PostalAddress[];
  /** `YYYY-MM-DD`. */
  readonly birthDate: string | null;
  readonly preferences: {
    readonly brands: readonly string[];
    readonly categories: readonly string[];
    readonly sizes: readonly string[];
  } | null;
  readonly loyaltyNumber: string | null;
  /** ISO 3166-1 alpha-2; decides the jurisdiction. */
  readonly country: string | null;
  readonly isTest: boolean;
  /** Must never be linked with another profile. */
  readonly doNotLink: boolean;
  readonly createdAt: string | null;
  readonly provenance: Provenance;
}

/** A loyalty account of one profile; `customerExternalId` is the profile's id in the same system. */
export interface LoyaltyRecord extends ExternalRef {
  readonly customerExternalId: string;
  /** The number printed on the card or the phone it is mapped to; personal. */
  readonly number: string | null;
  readonly tier: string | null;
  readonly points: number;
  readonly provenance: Provenance;
}

export type OrderState =
  | 'RECEIVED'
  | 'VALIDATED'
  | 'HELD'
  | 'PAYMENT_AUTHORIZED'
  | 'SOURCED'
  | 'RELEASED'
  | 'PICKING'
  | 'PICKED'
  | 'PACKED'
  | 'READY_FOR_PICKUP'
  | 'HANDED_OVER'
  | 'IN_TRANSIT'
  | 'COLLECTED'
  | 'DELIVERED'
  | 'RETURN_REQUESTED'
  | 'RETURN_RECEIVED'
  | 'REFUNDED'
  | 'CANCELED'
  | 'UNKNOWN';

export interface OrderLineRecord {
  /** The code as the order's system carries it (the crosswalk maps it); null for free-text lines. */
  readonly code: string | null;
  readonly title: string | null;
  /** Whole base units; never negative. */
  readonly quantity: number;
  readonly unitPrice: Money | null;
}

/** One facet of an order: what one system knows of it. */
export interface OrderRecord extends ExternalRef {
  /** The retailer's order number that ties the facets of one order together; null: this facet stands alone. */
  readonly orderNumber: string | null;
  readonly state: OrderState;
  /** The vendor's own word for the state. */
  readonly vendorState: string;
  readonly channel: string | null;
  readonly placedAt: string | null;
  /** The buyer's profile id in `customerSystem`; null: a guest, or not known here. */
  readonly customerExternalId: string | null;
  /** The system whose profile `customerExternalId` names. @default the order's own system */
  readonly customerSystem?: SystemId;
  /** The buyer as written on the order, when this system carries it (guests, marketplace buyers); personal. */
  readonly buyer: ProfileRecord | null;
  /** The system's own id of the store or warehouse concerned; null: none. */
  readonly locationExternalId: string | null;
  /** Empty when this system does not carry lines (for example fulfillments). */
  readonly lines: readonly OrderLineRecord[];
  readonly total: Money | null;
  /** The system's last change of this facet. */
  readonly updatedAt: string | null;
  readonly provenance: Provenance;
}

/** A product's sku resolved by the crosswalk. */
export interface CrosswalkEntry extends ExternalRef {
  readonly sku: Sku;
  readonly kind: string;
}
