import type { z } from 'zod';

import type { MortarError } from '#platform/errors.ts';
import type { SystemConfig } from '#schema/model/configuration.ts';
import type { RefusalReason } from '#schema/model/consent.ts';
import type { Sku } from '#schema/model/ids.ts';
import type { AudienceWrite, MarketingConsentWrite, WriteResult } from '#schema/model/outreach.ts';
import type { RateQuery, ServicePointQuery, TrackingKey } from '#schema/model/shipping.ts';
import type { NewProfile, OrderStep, ProfileErasure, StockMove, StockOffer } from '#schema/model/writes.ts';

import type {
  AudienceDraft,
  ItemDraft,
  LocationDraft,
  LoyaltyDraft,
  MarketingConsentDraft,
  OrderDraft,
  ProfileDraft,
  RateDraft,
  ServicePointDraft,
  SignalDraft,
  StockDraft,
  TrackingDraft,
} from './draft.ts';
import type { WebhookDefinition } from './webhook.ts';
import type { WireRequest, WireResponse } from './wire.ts';

// What a connector is: plain data and pure functions. Nothing here does I/O; the kit does all of it.

/** What request and decode functions may know besides their input. */
export interface Context<S> {
  readonly settings: S;
  /** Epoch milliseconds. */
  readonly nowMs: number;
  /** A new random UUID, for vendors that want one per call. */
  readonly uuid: () => string;
}

/** What one batch's pages say of its keys. `rejected`: rows whose key could not be read; unanswered keys then fail instead of being null. */
export interface Decoded<V> {
  readonly values: ReadonlyMap<string, V | null | MortarError>;
  readonly rejected: number;
}

/** The next call inside the same batch, for example after a cursor or an answer "still processing". */
export interface FollowUp {
  readonly request: WireRequest;
  /** Milliseconds the source asked us to wait first. @default 0 */
  readonly afterMs?: number;
}

interface Pages<B, S> {
  /** Milliseconds one call may take, where the vendor is known to take longer; option `timeoutMs` scales it. @default 800 */
  readonly timeoutMs?: number;
  /** Shape of one answer; what does not fit is UPSTREAM_CONTRACT. */
  readonly page: z.ZodType<B>;
  /** Null: that was the last page. */
  readonly more?: (body: B, previous: WireRequest, context: Context<S>) => FollowUp | null;
}

export interface BatchReadDefinition<K, V, S, B = unknown> extends Pages<B, S> {
  /** Keys a call may carry: the vendor's limit. */
  readonly max: number;
  readonly keyOf: (key: K) => string;
  /** False: no record of this system can have the key, so it is answered null without asking. */
  readonly accepts?: (key: string) => boolean;
  readonly request: (keys: readonly K[], context: Context<S>) => WireRequest;
  /**
   * Further calls about the same keys, made at once with `request`, for systems that answer a part of the question a call
   * (one location). Each has one page; their bodies stand last, in this order. One that fails fails the keys.
   */
  readonly fanOut?: (keys: readonly K[], context: Context<S>) => readonly WireRequest[];
  readonly decode: (bodies: readonly B[], keys: readonly K[], context: Context<S>) => Decoded<V>;
  /** Error answers that mean "no such key" (a 404 of one record). */
  readonly missing?: (response: WireResponse) => boolean;
  /** The answer for a key no page named. */
  readonly absent: V | null;
  /** How old a value's own instant may be before it is stale; null: the instant is a last change. */
  readonly freshnessMs: number | null;
}

/**
 * Inputs sent to a system. `idempotency` says what a second sending of the same does: `natural`, nothing more (a state is
 * set); `key`, nothing more because the request carries a key of the input's own; `sequence`, nothing more because the
 * system keeps the highest number; `none`, harm: such a write is never sent twice.
 */
export interface WriteDefinition<I, O, S, B = unknown> {
  /** Inputs a call may carry: the vendor's limit. */
  readonly max: number;
  readonly idempotency: 'natural' | 'key' | 'sequence' | 'none';
  /** As of reads. A write that must not be sent twice wants longer: given up, nobody knows what became of it. @default 800 */
  readonly timeoutMs?: number;
  /** Inputs with the same key contradict each other: the last counts. Never sent, never logged. */
  readonly keyOf: (input: I) => string;
  /** Inputs that may travel together. @default all */
  readonly groupOf?: (input: I) => string;
  /** False: the system cannot take the input, which gets an error of its own instead of spoiling its batch. */
  readonly accepts?: (input: I, context: Context<S>) => boolean;
  /** Why an input must not be sent; null: it may. */
  readonly refuses?: (input: I, context: Context<S>) => RefusalReason | null;
  /** What must be read first to write: versions, ids of parts. The body of its answer is handed to `request`. */
  readonly before?: (inputs: readonly I[], context: Context<S>) => WireRequest;
  /** Whether what was read first says that it is so already: nothing is sent then. */
  readonly isSo?: (inputs: readonly I[], read: unknown) => boolean;
  /** @throws {MortarError} when what was read first does not allow it */
  readonly request: (inputs: readonly I[], context: Context<S>, read?: unknown) => WireRequest;
  /** Error answers that mean "it is so already": `decode` gets undefined for them. */
  readonly settled?: (response: WireResponse) => boolean;
  /** Shape of the answer; undefined where the vendor answers without a body. */
  readonly page: z.ZodType<B>;
  /** One answer an input, in input order; an Error for what the vendor refused alone. */
  readonly decode: (body: B, inputs: readonly I[], context: Context<S>) => readonly (O | MortarError)[];
}

/** Readings of stock: what the source may have subtracted from on hand already is declared, and told again with each reading. */
interface StockDeclaration {
  /** @default none */
  readonly nets?: readonly ('committed' | 'held')[];
}

export interface LocationsDefinition<S, B = unknown> extends Pages<B, S> {
  readonly request: (context: Context<S>) => WireRequest;
  readonly decode: (bodies: readonly B[], context: Context<S>) => readonly LocationDraft[];
}

export type DraftChange<D> =
  | { readonly kind: 'upsert'; readonly value: D }
  | { readonly kind: 'delete'; readonly externalId: string };

export interface FeedStep<D> {
  readonly changes: readonly DraftChange<D>[];
  /** The next cursor: our own JSON text without personal data. */
  readonly cursor: string;
  readonly done: boolean;
  /** Rows that could not be read and were left out. */
  readonly rejected: number;
}

export interface FeedDefinition<D, S, B = unknown> {
  readonly feed: string;
  readonly intervalMs: number;
  /** Milliseconds one page may take; option `timeoutMs` can only make it longer. @default 10,000 */
  readonly timeoutMs?: number;
  /** A cursor it cannot read is treated as null: from the start. */
  readonly request: (cursor: string | null, context: Context<S>) => WireRequest;
  readonly page: z.ZodType<B>;
  readonly decode: (body: B, cursor: string | null, context: Context<S>) => FeedStep<D>;
  /** Whether the vendor says that the page token is no longer valid. */
  readonly expired?: (response: WireResponse) => boolean;
  /** The cursor to go on with when it expired. @default null (from the start) */
  readonly restart?: (cursor: string | null) => string | null;
}

/** How calls are authorized. Tokens are fetched once at a time, kept until shortly before they expire, renewed once on refusal. */
export type Auth<S> =
  | { readonly kind: 'headers'; readonly headers: (settings: S) => Readonly<Record<string, string>> }
  | TokenAuth<S>
  | SessionAuth<S>;

/** A login of the vendor's own instead of OAuth 2: JSON in, the key of a session out. */
export interface SessionAuth<S> {
  readonly kind: 'session';
  /** Absolute URL the login is posted to. */
  readonly endpoint: (settings: S) => string;
  readonly login: (settings: S) => unknown;
  /** The session's key in the answer to a login. */
  readonly key: z.ZodType<string>;
  /** How long a session is kept at most. */
  readonly lifeMs: number;
  readonly headers: (key: string, settings: S) => Readonly<Record<string, string>>;
  /** Statuses that mean the session ended. @default [401] */
  readonly refusedWith?: readonly number[];
}

export interface TokenAuth<S> {
  readonly kind: 'token';
  /** Absolute URL of the OAuth 2 token endpoint. */
  readonly endpoint: (settings: S) => string;
  /** The form fields of the grant. */
  readonly form: (settings: S) => Readonly<Record<string, string>>;
  readonly headers: (token: string, settings: S) => Readonly<Record<string, string>>;
  /** Statuses that mean the token is no longer good. @default [401] */
  readonly refusedWith?: readonly number[];
  /** Where requests marked `restricted` get their own token in exchange for the usual one; null: they need none. */
  readonly restricted?: (settings: S) => { readonly endpoint: string; readonly json: unknown } | null;
}

interface RuleScope {
  /** Unique in the connector. */
  readonly name: string;
  /** The operations it counts, by their names in requests; absent: every call of the account. */
  readonly operations?: readonly string[];
  /** What a call costs, where the vendor counts credits. @default one */
  readonly cost?: (request: WireRequest) => number;
}

/**
 * A rate the vendor publishes. `window`: at most `limit` in any `windowMs`. `bucket`: `burst` at once, then `perSecond`.
 * Option `rateFactor` multiplies all of them.
 */
export type LimitRule =
  | (RuleScope & { readonly kind: 'window'; readonly limit: number; readonly windowMs: number })
  | (RuleScope & { readonly kind: 'bucket'; readonly perSecond: number; readonly burst: number });

/** What an answer says of a rule: counts as the vendor states them now. */
export interface Observed {
  readonly rule: string;
  readonly remaining?: number;
  /** Of a window. */
  readonly limit?: number;
  /** Of a bucket. */
  readonly perSecond?: number;
}

interface Limits<S> {
  /** Calls at once to one system. Option `concurrency` overrides it. */
  readonly concurrency: number;
  /** Milliseconds to pause after a 429 that names no time. */
  readonly pauseMs: number;
  /** The vendor's published rates; absent: it publishes none, and its 429 is all we know. */
  readonly rules?: (settings: S) => readonly LimitRule[];
  /** Reads the vendor's own account of them out of an answer's headers. */
  readonly observe?: (response: WireResponse) => readonly Observed[];
}

/** Key of a stock read: the retailer's sku and the system's own id of the item. */
export interface StockKey {
  readonly sku: Sku;
  readonly externalId: string;
}

/* eslint-disable typescript/no-explicit-any -- a table of definitions whose page types differ; each is checked where it is written */
export interface Ports<S> {
  readonly items?: BatchReadDefinition<string, ItemDraft, S, any>;
  readonly stock?: BatchReadDefinition<StockKey, readonly StockDraft[], S, any> & StockDeclaration;
  readonly locations?: LocationsDefinition<S, any>;
  readonly profiles?: BatchReadDefinition<string, ProfileDraft, S, any>;
  readonly loyalty?: BatchReadDefinition<string, readonly LoyaltyDraft[], S, any>;
  readonly orders?: BatchReadDefinition<string, OrderDraft, S, any>;
  readonly rates?: BatchReadDefinition<RateQuery, readonly RateDraft[], S, any>;
  readonly tracking?: BatchReadDefinition<TrackingKey, TrackingDraft, S, any>;
  readonly servicePoints?: BatchReadDefinition<ServicePointQuery, readonly ServicePointDraft[], S, any>;
  readonly marketingConsents?: BatchReadDefinition<string, readonly MarketingConsentDraft[], S, any>;
  readonly audiences?: BatchReadDefinition<string, AudienceDraft, S, any>;
  readonly marketingConsentSink?: WriteDefinition<MarketingConsentWrite, WriteResult, S, any>;
  readonly audienceSink?: WriteDefinition<AudienceWrite, WriteResult, S, any>;
  readonly stockMoveSink?: WriteDefinition<StockMove, WriteResult, S, any>;
  readonly stockOfferSink?: WriteDefinition<StockOffer, WriteResult, S, any>;
  readonly profileSink?: WriteDefinition<NewProfile, WriteResult, S, any>;
  readonly erasureSink?: WriteDefinition<ProfileErasure, WriteResult, S, any>;
  readonly orderStepSink?: WriteDefinition<OrderStep, WriteResult, S, any>;
  readonly signalFeed?: FeedDefinition<SignalDraft, S, any>;
  readonly itemFeed?: FeedDefinition<ItemDraft, S, any>;
  readonly stockFeed?: FeedDefinition<StockDraft, S, any> & StockDeclaration;
  readonly profileFeed?: FeedDefinition<ProfileDraft, S, any>;
  readonly loyaltyFeed?: FeedDefinition<LoyaltyDraft, S, any>;
  readonly orderFeed?: FeedDefinition<OrderDraft, S, any>;
}
/* eslint-enable typescript/no-explicit-any */

export interface ConnectorDefinition<S = unknown> {
  /** Connector id, for example `pos-square`; the folder's name. */
  readonly id: string;
  readonly vendor: string;
  readonly apiVersion: string;
  /** Typed options and credentials. @throws {MortarError} CONFIGURATION_INVALID naming the key, never its value. */
  readonly settings: (config: SystemConfig) => S;
  /** Its prices state no currency: the default of its option `currency` is the retailer's own. @default false */
  readonly inheritsCurrency?: boolean;
  readonly auth: Auth<S>;
  readonly limits: Limits<S>;
  readonly capabilities: readonly string[];
  /** The cheapest read that needs our credentials and no key; needed where no port can be asked without one. */
  readonly check?: { readonly request: (context: Context<S>) => WireRequest; readonly page: z.ZodType };
  /** Absent: the system tells of no changes. */
  readonly webhook?: WebhookDefinition<S>;
  readonly ports: Ports<S>;
}
