import type { Provenance } from '#schema/model/figures.ts';
import type { Lane } from '#schema/model/figures.ts';
import { locationIdOf } from '#schema/model/ids.ts';
import type { SystemId } from '#schema/model/ids.ts';
import type { AudienceRecord, MarketingConsentRecord, SignalRecord } from '#schema/model/outreach.ts';
import type {
  ItemRecord,
  LocationRecord,
  LoyaltyRecord,
  OrderRecord,
  ProfileRecord,
  StockReading,
} from '#schema/model/records.ts';
import { isAheadOf } from '#schema/model/source-clock.ts';
import type { RateRecord, ServicePointRecord, TrackingRecord } from '#schema/model/shipping.ts';

/** What a source itself says about a record's age and version. */
interface Stamp {
  /** The source's own instant (last change, or moment of measuring), ISO 8601; null: it says none. */
  readonly asOf: string | null;
  /** The record's number or id as people know it. */
  readonly reference: string | null;
  /** The source's own version of the record. */
  readonly sequence: string | null;
}

/** A canonical record as a definition decodes it: the kit adds system and provenance in one place. */
export type Draft<V extends { readonly system: SystemId; readonly provenance: Provenance }> = Omit<
  V,
  'system' | 'provenance'
> & { readonly stamp: Stamp };

export type ItemDraft = Draft<ItemRecord>;
export type StockDraft = Draft<StockReading>;
export type ProfileDraft = Draft<ProfileRecord>;
export type LoyaltyDraft = Draft<LoyaltyRecord>;
export type RateDraft = Draft<RateRecord>;
export type TrackingDraft = Draft<TrackingRecord>;
export type ServicePointDraft = Draft<ServicePointRecord>;
export type MarketingConsentDraft = Draft<MarketingConsentRecord>;
export type AudienceDraft = Draft<AudienceRecord>;
export type SignalDraft = Draft<SignalRecord>;
export type OrderDraft = Omit<Draft<OrderRecord>, 'buyer'> & { readonly buyer: ProfileDraft | null };
export type LocationDraft = Omit<LocationRecord, 'system' | 'id'>;

/** Everything the kit knows about where and when drafts were read. */
export interface Origin {
  readonly system: SystemId;
  readonly connector: string;
  readonly lane: Lane;
  readonly observedAt: string;
  /** Milliseconds; null: the source's instant tells the last change, which may be long ago and still true. */
  readonly freshnessMs: number | null;
}

/** Longer than any vendor's word of a list. */
const LONGEST_WORD = 100;

/** The vendor's own word for the draft's state, kept also where we know no such word. */
function rawValueOf(draft: object): { readonly rawValue?: string } {
  if (!('vendorState' in draft) || typeof draft.vendorState !== 'string' || draft.vendorState === '') return {};
  return { rawValue: draft.vendorState.slice(0, LONGEST_WORD) };
}

function provenanceOf(draft: { readonly stamp: Stamp }, origin: Origin): Provenance {
  const { stamp } = draft;
  const observedMs = Date.parse(origin.observedAt);
  // An instant to come tells no age: the value counts as stale, and as old as our reading of it.
  const isAhead = isAheadOf(observedMs, stamp.asOf);
  const age = stamp.asOf === null ? null : observedMs - Date.parse(stamp.asOf);
  return {
    asOf: isAhead ? null : stamp.asOf,
    observedAt: origin.observedAt,
    source: {
      system: origin.system,
      connector: origin.connector,
      reference: stamp.reference,
      sequence: stamp.sequence,
      ...rawValueOf(draft),
    },
    lane: origin.lane,
    stale: isAhead || (origin.freshnessMs !== null && age !== null && age > origin.freshnessMs),
    degraded: false,
    inputs: [],
  };
}

/** A draft as its canonical record. */
export function seal<V extends { readonly system: SystemId; readonly provenance: Provenance }>(
  draft: Draft<V>,
  origin: Origin,
): V {
  const { stamp: _stamp, ...rest } = draft;
  // A draft is its record without exactly the two properties added here.
  return { ...rest, system: origin.system, provenance: provenanceOf(draft, origin) } as unknown as V;
}

/** An order draft and the buyer written on it. */
export function sealOrder(draft: OrderDraft, origin: Origin): OrderRecord {
  const { stamp: _stamp, buyer, ...rest } = draft;
  return {
    ...rest,
    system: origin.system,
    buyer: buyer === null ? null : seal<ProfileRecord>(buyer, origin),
    provenance: provenanceOf(draft, origin),
  };
}

/** A location draft with the graph's id of it. */
export function sealLocation(draft: LocationDraft, system: SystemId): LocationRecord {
  return { ...draft, system, id: locationIdOf({ system, externalId: draft.externalId }) };
}
