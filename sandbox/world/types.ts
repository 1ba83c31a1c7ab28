// The sandbox retailer's ground truth: what is so, whatever any system says of it. Deterministic from (seed, scale,
// dataset); mutable afterwards through vendor writes, the control port and time. Money is in minor units (pence).

import type { WorldChange } from './announcements.ts';

export type SandboxSystem = 'erp' | 'wms' | 'pos' | 'crm' | 'marketplace';
/** Systems a sandbox may have besides; not started unless asked for. */
export type ExtraSystem = 'carrier' | 'email' | 'social';
export type Scale = 'small' | 'medium' | 'large';

export interface WorldPlace {
  /** The retailer's own site code, for example `S01`, `W1`, `SUP1`, `FBA`. */
  readonly code: string;
  readonly name: string;
  readonly kind: 'STORE' | 'WAREHOUSE' | 'SUPPLIER' | 'MARKETPLACE_WAREHOUSE';
  readonly zone: 'URBAN' | 'SUBURBAN' | 'REGIONAL' | 'RURAL';
  readonly latitude: number;
  readonly longitude: number;
  readonly street: string;
  readonly city: string;
  readonly postalCode: string;
  readonly country: string;
  readonly timeZone: string;
  /** weekday 1 = Monday .. 7 = Sunday, `HH:MM`. */
  readonly openingPeriods: readonly { readonly weekday: number; readonly opensAt: string; readonly closesAt: string }[];
  /** Ids the systems use for it: pos location id (stores), wms warehouse id (warehouses, supplier), marketplace fulfillment id. */
  readonly ids: Partial<Record<SandboxSystem, string>>;
}

export interface WorldProduct {
  /** The retailer's canonical code = ERP item number. */
  readonly sku: string;
  readonly title: string;
  readonly brand: string;
  readonly category: string;
  readonly productType: string;
  readonly gtin: string | null;
  readonly baseUnit: 'PIECE' | 'GRAM' | 'MILLILITER' | 'MILLIMETER';
  readonly hazardous: boolean;
  /** List price in minor units; `storePriceMinor`/`marketplacePriceMinor` where the system differs. */
  readonly priceMinor: number;
  readonly storePriceMinor: number;
  readonly marketplacePriceMinor: number;
  readonly currency: string;
  readonly erpId: string;
  readonly posVariationId: string | null;
  readonly asin: string | null;
  /** The seller sku of the marketplace listing; null when not listed. May differ from `sku` in case or prefix. */
  readonly sellerSku: string | null;
  readonly updatedAt: string;
}

/** One real person: the truth behind the profiles. */
export interface WorldPerson {
  readonly personId: string;
  readonly isTest: boolean;
  readonly country: string;
  readonly profiles: WorldProfile[];
}

/** One record of a person in one system (marketplace: an anonymised buyer). Personal values may differ between systems. */
export interface WorldProfile {
  readonly system: 'crm' | 'pos' | 'marketplace';
  readonly externalId: string;
  readonly personId: string;
  readonly givenName: string;
  readonly familyName: string;
  readonly email: string | null;
  readonly emailVerified: boolean;
  /** As the system writes it: formats vary. */
  readonly phone: string | null;
  readonly address: {
    readonly street: string;
    readonly city: string;
    readonly postalCode: string;
    readonly country: string;
  } | null;
  readonly birthDate: string | null;
  readonly loyaltyNumber: string | null;
  readonly preferences: {
    readonly brands: readonly string[];
    readonly categories: readonly string[];
    readonly sizes: readonly string[];
  } | null;
  readonly isTest: boolean;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface WorldLoyalty {
  readonly accountId: string;
  readonly posCustomerId: string;
  /** E.164 phone or loyalty number the account is mapped to. */
  readonly number: string;
  readonly tier: 'BRONZE' | 'SILVER' | 'GOLD';
  readonly points: number;
}

/** Stock truth of one product at one place, in whole base units. */
export interface WorldStock {
  readonly sku: string;
  readonly place: string;
  onHand: number;
  committed: number;
  incoming: number;
  changedAt: string;
}

export type WorldOrderStage =
  | 'received'
  | 'validated'
  | 'paid'
  | 'released'
  | 'picking'
  | 'packed'
  | 'readyForPickup'
  | 'shipped'
  | 'collected'
  | 'delivered'
  | 'returnRequested'
  | 'refunded'
  | 'canceled';

export interface WorldOrder {
  /** The retailer's order number: the same in every system that carries the order. */
  readonly orderNumber: string;
  readonly channel: 'web' | 'app' | 'store' | 'amazon';
  stage: WorldOrderStage;
  readonly placedAt: string;
  updatedAt: string;
  readonly personId: string | null;
  /** The buyer's profile per system that carries the order; absent: a guest there. */
  readonly profileIds: Partial<Record<'crm' | 'pos' | 'marketplace', string>>;
  /** What a guest typed in; null when a profile is named. */
  readonly guest: {
    readonly givenName: string;
    readonly familyName: string;
    readonly email: string;
    readonly phone: string | null;
    readonly address: WorldProfile['address'];
  } | null;
  readonly lines: readonly { readonly sku: string; readonly quantity: number; readonly unitPriceMinor: number }[];
  readonly currency: string;
  /** Site code of the store (store orders, pickups) or warehouse that serves it. */
  readonly place: string | null;
  /** Which systems carry a facet of it, with their own ids. */
  readonly ids: Partial<Record<'erp' | 'wms' | 'pos' | 'marketplace', string>>;
}

/** A past decision as the retailer's systems recorded it: what the JSON Lines import file holds. */
export interface WorldConsent {
  readonly system: 'crm' | 'pos' | 'marketplace';
  readonly externalId: string;
  readonly purpose: string;
  /** Null: every medium. */
  readonly medium: string | null;
  /** Null: ourselves. */
  readonly recipient: string | null;
  readonly decision: 'GRANT' | 'DENY' | 'WITHDRAW' | 'OBJECT';
  readonly at: string;
  readonly evidence: string;
}

export interface World {
  readonly seed: number;
  readonly scale: Scale;
  /** The instant the world was built for; everything before it is history. */
  readonly builtAt: string;
  readonly places: readonly WorldPlace[];
  readonly products: readonly WorldProduct[];
  readonly people: readonly WorldPerson[];
  readonly profiles: WorldProfile[];
  readonly loyalty: readonly WorldLoyalty[];
  /** Key `${sku}@${placeCode}`. */
  readonly stock: Map<string, WorldStock>;
  readonly orders: WorldOrder[];
  readonly consents: readonly WorldConsent[];
  /** Rises with every change: the sequence vendors stamp on versions and cursors. */
  sequence: number;
}

/** Handles one vendor's HTTP: the server mounts it on a port, test support wraps it for msw. */
export type VendorHandler = (request: Request, world: World) => Promise<Response>;

/** A webhook as the vendor sends it. */
export interface WebhookMessage {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface WebhookContext {
  readonly world: World;
  readonly nowMs: number;
  /** Where the gateway is; null: nobody has said. */
  readonly base: string | null;
}

/** What `mortar sandbox` needs to mount and configure one vendor. */
export interface Vendor<System extends string = SandboxSystem> {
  readonly system: System;
  /** Connector id that reads it, for the generated configuration. */
  readonly connector: string;
  readonly handler: VendorHandler;
  /** Credentials the generated configuration hands to the connector, by name. */
  readonly credentials: Readonly<Record<string, string>>;
  /** Connector options of the generated configuration. */
  readonly options: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  /** The vendor's own name of the operation, for GET /calls; `METHOD /path-template`. */
  readonly operationOf: (request: Request) => string;
  /** What the vendor tells of a change, signed; absent: it sends no webhooks. */
  readonly webhooks?: (change: WorldChange, context: WebhookContext) => readonly WebhookMessage[];
  /** The vendor's own 429 answer, used by the rateLimit fault. */
  readonly rateLimited: () => Response;
  /** The vendor's own 5xx answer, used by the error fault. */
  readonly failed: () => Response;
}
