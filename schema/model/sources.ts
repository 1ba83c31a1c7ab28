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
import type { NewProfile, OrderStep, ProfileErasure, StockMove, StockOffer } from './writes.ts';
import type { WebhookReceiver, WebhookSubscription } from './webhooks.ts';

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

export interface StockMoveSink extends SystemPort {
  /** Moves with the same key are one. */
  readonly writeMoves: BatchWrite<StockMove, WriteResult>;
}

export interface StockOfferSink extends SystemPort {
  /** An offer with a lower sequence than one the system knows changes nothing, and answers SUPERSEDED. */
  readonly publishOffers: BatchWrite<StockOffer, WriteResult>;
}

export interface ProfileSink extends SystemPort {
  /** A code that is taken is an Error: read the person to know whether it is the same. */
  readonly writeProfiles: BatchWrite<NewProfile, WriteResult>;
}

export interface ErasureSink extends SystemPort {
  /** A profile the system does not know is erased already. */
  readonly eraseProfiles: BatchWrite<ProfileErasure, WriteResult>;
}

export interface OrderStepSink extends SystemPort {
  /** A step the order's state does not allow is an Error. */
  readonly writeSteps: BatchWrite<OrderStep, WriteResult>;
}

/** A changed or vanished record of a feed. */
export type Change<V> = { readonly kind: 'upsert'; readonly value: V } | ({ readonly kind: 'delete' } & ExternalRef);

/** One page of a feed; `cursor` is what to store together with the changes, null before the first page. */
export interface FeedPage<V> {
  readonly changes: readonly Change<V>[];
  readonly cursor: string | null;
  /** True: nothing more for now; the next run continues from `cursor`. */
  readonly done: boolean;
  /** Rows that could not be read and are missing from `changes`. @default 0 */
  readonly leftOut?: number;
  /** The right by which this process reads the feed, where several could; a sink hands it on with the cursor. */
  readonly fence?: number;
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
  readonly stockMoveSink?: StockMoveSink;
  readonly stockOfferSink?: StockOfferSink;
  readonly profileSink?: ProfileSink;
  readonly erasureSink?: ErasureSink;
  readonly orderStepSink?: OrderStepSink;
  readonly itemFeed?: FeedSource<ItemRecord>;
  readonly stockFeed?: FeedSource<StockReading>;
  readonly profileFeed?: FeedSource<ProfileRecord>;
  readonly loyaltyFeed?: FeedSource<LoyaltyRecord>;
  readonly orderFeed?: FeedSource<OrderRecord>;
  readonly signalFeed?: FeedSource<SignalRecord>;
  /**
   * Whether it answers our credentials: the cheapest read, of no key. Absent: feeds or locations tell.
   * @throws {MortarError} UPSTREAM_*
   */
  readonly check?: (scope: CallScope) => Promise<void>;
  /** Absent: the system sends no webhooks, or no secret for them is configured. */
  readonly webhook?: WebhookReceiver;
  /** Absent: the system needs no asking to send webhooks. */
  readonly webhookSubscription?: WebhookSubscription;
  /** Every port the system has: what can be asked at request time, what a feed keeps, how fresh it claims to be. */
  readonly ports: readonly DeclaredPort[];
  /** What the kit saw of the system in the last minute. */
  readonly health: () => SystemHealth;
  /** What is left of the vendor's limits; asks Redis where the processes share them, never the system. */
  readonly budget: () => Promise<BudgetReport>;
  readonly close: () => Promise<void>;
}

/** What calls to a system are for: somebody waits for a `read` or a `write`, nobody for a `feed`. */
export type OperationClass = 'read' | 'feed' | 'write';

/** CLOSED: calls go through. OPEN: the system failed repeatedly and rests. HALF_OPEN: one call finds out whether it is back. */
export type BreakerState = 'CLOSED' | 'HALF_OPEN' | 'OPEN';

export interface SystemHealth {
  readonly state: 'UP' | 'DEGRADED' | 'DOWN';
  /** Whether every read of the last minute failed: none of its live values can be had now. */
  readonly readsFail: boolean;
  readonly lastErrorCode: string | null;
  /** Milliseconds the system's clock was ahead of ours at its last answer, to a second; null: it did not say. */
  readonly clockAheadMs: number | null;
  readonly breakers: Readonly<Record<OperationClass, BreakerState>>;
}

/** Kinds of records a system can be asked for. */
export const PORT_NAMES = [
  'items',
  'stock',
  'locations',
  'profiles',
  'loyalty',
  'orders',
  'rates',
  'tracking',
  'servicePoints',
  'marketingConsents',
  'audiences',
  'signals',
] as const;
export type PortName = (typeof PORT_NAMES)[number];

/** One kind of records, as the connector declares it. */
export interface DeclaredPort {
  readonly port: PortName;
  /** Can be asked while a request runs. */
  readonly live: boolean;
  /** The feed that keeps it; null: none. */
  readonly feed: string | null;
  /** Age at which a live value counts as stale; null: the source's instant tells the last change, which may be long ago and still true. */
  readonly freshnessMs: number | null;
  /** Of stock: states the source may have subtracted from on hand already. */
  readonly nets: readonly ('committed' | 'held')[];
}

/** What is left of one rate. */
export interface RateBudget {
  /** The connector's name of the rate. */
  readonly name: string;
  /** The operations it counts; empty: every call of the account. */
  readonly operations: readonly string[];
  /** Calls (or credits) that may go in any `periodMs`, our share of them (`rateFactor`). */
  readonly limit: number;
  readonly periodMs: number;
  readonly left: number;
  /** Epoch milliseconds at which all of it is there again, if nobody calls. */
  readonly resetsAtMs: number;
}

export interface BudgetReport {
  /** Epoch milliseconds; null: the account is not paused. */
  readonly pausedUntilMs: number | null;
  /** Empty: the vendor publishes no rates. */
  readonly rates: readonly RateBudget[];
}
