import type { ExternalRef, Sku, SystemId } from './ids.ts';
import type { ItemRecord, LocationRecord, LoyaltyRecord, OrderRecord, ProfileRecord, StockReading } from './records.ts';
import type {
  AudienceRecord,
  AudienceWrite,
  MarketingConsentRecord,
  MarketingConsentWrite,
  SignalRecord,
  WriteResult,
} from './outreach.ts';
import type { CallScope } from './request.ts';
import type {
  RateQuery,
  RateRecord,
  ServicePointQuery,
  ServicePointRecord,
  TrackingKey,
  TrackingRecord,
} from './shipping.ts';
import type { WebhookReceiver } from './webhooks.ts';

/** One slot of a batch answer, in key order: the value, null when the system does not know the key, an Error when the read failed. */
export type Slot<V> = V | null | Error;

/** Reads many keys at once; answers have the keys' length and order. The connector kit splits, pages and limits. Never rejects. */
export type BatchRead<K, V> = (keys: readonly K[], scope: CallScope) => Promise<readonly Slot<V>[]>;

/** Common to every bound system port. */
export interface SystemPort {
  readonly system: SystemId;
  readonly connector: string;
}

export interface ItemSource extends SystemPort {
  /** Items by the retailer's code. */
  readonly itemsByCode: BatchRead<string, ItemRecord>;
}

export interface StockSource extends SystemPort {
  /** All readings of an item, over all of the system's locations; an item without stock answers an empty list. */
  readonly stockByItem: BatchRead<{ readonly sku: Sku; readonly externalId: string }, readonly StockReading[]>;
}

export interface LocationSource extends SystemPort {
  /** Every location of the system. @throws {MortarError} UPSTREAM_* when it could not be read. */
  readonly locations: (scope: CallScope) => Promise<readonly LocationRecord[]>;
}

export interface ProfileSource extends SystemPort {
  readonly profilesById: BatchRead<string, ProfileRecord>;
}

export interface LoyaltySource extends SystemPort {
  /** Loyalty accounts by the profile's id in the same system; none answers an empty list. */
  readonly loyaltyByCustomer: BatchRead<string, readonly LoyaltyRecord[]>;
}

export interface OrderSource extends SystemPort {
  readonly ordersById: BatchRead<string, OrderRecord>;
}

export interface RateSource extends SystemPort {
  /** What each service would cost, cheapest first; no service answers an empty list. */
  readonly ratesFor: BatchRead<RateQuery, readonly RateRecord[]>;
}

export interface TrackingSource extends SystemPort {
  readonly trackingOf: BatchRead<TrackingKey, TrackingRecord>;
}

export interface ServicePointSource extends SystemPort {
  /** Nearest first. */
  readonly servicePointsNear: BatchRead<ServicePointQuery, readonly ServicePointRecord[]>;
}

export interface MarketingConsentSource extends SystemPort {
  /** By profile id, one record a medium. */
  readonly consentsByProfile: BatchRead<string, readonly MarketingConsentRecord[]>;
}

export interface AudienceSource extends SystemPort {
  readonly audiencesById: BatchRead<string, AudienceRecord>;
}

/** Writes many inputs at once; one answer an input, in input order: what became of it, or an Error. Never rejects. */
export type BatchWrite<I, O> = (inputs: readonly I[], scope: CallScope) => Promise<readonly (O | Error)[]>;

export interface MarketingConsentSink extends SystemPort {
  /** Of several decisions about one profile and medium the last counts. */
  readonly writeConsents: BatchWrite<MarketingConsentWrite, WriteResult>;
}

export interface AudienceSink extends SystemPort {
  /** Additions without a fresh opt-in for this recipient are refused and never sent. */
  readonly writeMembers: BatchWrite<AudienceWrite, WriteResult>;
}

/** A changed or vanished record of a feed. */
export type Change<V> = { readonly kind: 'upsert'; readonly value: V } | ({ readonly kind: 'delete' } & ExternalRef);

/** One page of a feed; `cursor` is what to store together with the changes, null before the first page. */
export interface FeedPage<V> {
  readonly changes: readonly Change<V>[];
  readonly cursor: string | null;
  /** True: nothing more for now; the next run continues from `cursor`. */
  readonly done: boolean;
}

export interface FeedSource<V> extends SystemPort {
  /** Unique inside the system, for example `customers`. */
  readonly feed: string;
  /** How long to wait after a finished run. */
  readonly intervalMs: number;
  /** @throws {MortarError} UPSTREAM_* when the page could not be read: the cursor stays. */
  readonly readPage: (cursor: string | null, scope: CallScope) => Promise<FeedPage<V>>;
}

/** Where a feed's rows go: rows and cursor are committed together, or not at all. */
export interface FeedSink<V> {
  readonly writePage: (feed: FeedSource<V>, page: FeedPage<V>) => Promise<void>;
  /** The stored cursor; null: never run. */
  readonly readCursor: (feed: { readonly system: SystemId; readonly feed: string }) => Promise<string | null>;
}

/** Everything one configured system offers; an absent port is not supported. */
export interface ConnectedSystem extends SystemPort {
  /** Words for `SystemStatus.capabilities`, for example `items:read`. */
  readonly capabilities: readonly string[];
  readonly items?: ItemSource;
  readonly stock?: StockSource;
  readonly locations?: LocationSource;
  readonly profiles?: ProfileSource;
  readonly loyalty?: LoyaltySource;
  readonly orders?: OrderSource;
  readonly rates?: RateSource;
  readonly tracking?: TrackingSource;
  readonly servicePoints?: ServicePointSource;
  readonly marketingConsents?: MarketingConsentSource;
  readonly audiences?: AudienceSource;
  readonly marketingConsentSink?: MarketingConsentSink;
  readonly audienceSink?: AudienceSink;
  readonly itemFeed?: FeedSource<ItemRecord>;
  readonly stockFeed?: FeedSource<StockReading>;
  readonly profileFeed?: FeedSource<ProfileRecord>;
  readonly loyaltyFeed?: FeedSource<LoyaltyRecord>;
  readonly orderFeed?: FeedSource<OrderRecord>;
  readonly signalFeed?: FeedSource<SignalRecord>;
  /** Absent: the system sends no webhooks, or no secret for them is configured. */
  readonly webhook?: WebhookReceiver;
  /** What the kit saw of the system in the last minute. */
  readonly health: () => SystemHealth;
  readonly close: () => Promise<void>;
}

export interface SystemHealth {
  readonly state: 'UP' | 'DEGRADED' | 'DOWN';
  readonly lastErrorCode: string | null;
}
