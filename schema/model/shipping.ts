import type { Money, Provenance } from './figures.ts';
import type { ExternalRef } from './ids.ts';
import type { OpeningPeriod, PostalAddress } from './records.ts';

// What carriers know: prices of a parcel, where it is, and where people may fetch it.

/** A place as rates need it; never a person's full address. */
export interface ParcelEnd {
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  readonly postalCode: string;
  readonly city: string;
  readonly region: string;
}

/** One parcel from one place to another. */
export interface RateQuery {
  readonly from: ParcelEnd;
  readonly to: ParcelEnd;
  readonly weightGrams: number;
  /** Null: not measured. */
  readonly sizeMillimeters: { readonly length: number; readonly width: number; readonly height: number } | null;
  /** ISO 8601. */
  readonly shipAt: string;
}

/** What a service of a carrier would cost; `externalId` is the service's code. */
export interface RateRecord extends ExternalRef {
  readonly carrier: string;
  readonly service: string | null;
  /** Shipping with every surcharge and tax. */
  readonly total: Money;
  /** Whole days; null: the carrier does not say. */
  readonly deliveryDays: number | null;
  readonly estimatedDeliveryAt: string | null;
  readonly guaranteed: boolean;
  readonly trackable: boolean;
  readonly provenance: Provenance;
}

export interface TrackingKey {
  readonly carrier: string;
  readonly trackingNumber: string;
}

export type TrackingState =
  | 'NOT_YET_IN_SYSTEM'
  | 'ACCEPTED'
  | 'IN_TRANSIT'
  | 'DELIVERY_ATTEMPTED'
  | 'AT_SERVICE_POINT'
  | 'DELIVERED'
  | 'EXCEPTION'
  | 'UNKNOWN';

export interface TrackingEvent {
  readonly at: string;
  readonly state: TrackingState;
  readonly vendorState: string;
  readonly description: string | null;
  readonly city: string | null;
  readonly country: string | null;
}

/** Where a parcel is; `externalId` is its tracking number. Who signed for it is not read. */
export interface TrackingRecord extends ExternalRef {
  readonly carrier: string;
  readonly state: TrackingState;
  readonly vendorState: string;
  readonly shippedAt: string | null;
  readonly estimatedDeliveryAt: string | null;
  readonly deliveredAt: string | null;
  /** Newest first. */
  readonly events: readonly TrackingEvent[];
  readonly provenance: Provenance;
}

export interface ServicePointQuery {
  readonly country: string;
  readonly postalCode: string;
}

/** A place where people fetch or leave parcels. */
export interface ServicePointRecord extends ExternalRef {
  readonly carrier: string;
  readonly kind: 'SERVICE_POINT' | 'LOCKER';
  readonly name: string | null;
  readonly address: PostalAddress;
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly distanceMeters: number | null;
  /** Empty: unknown. */
  readonly openingPeriods: readonly OpeningPeriod[];
  readonly provenance: Provenance;
}
