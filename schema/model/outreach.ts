import type { RefusalReason } from './consent.ts';
import type { Provenance } from './figures.ts';
import type { ExternalRef } from './ids.ts';
import type { Medium } from './request.ts';
import type { Purpose } from '#schema/purposes.ts';

// What systems that talk to people hold: marketing permissions, audiences, signals.

/** What one system believes about marketing on one medium; `externalId` is the profile's id there. */
export interface MarketingConsentRecord extends ExternalRef {
  readonly medium: Medium;
  readonly decision: 'GRANTED' | 'WITHDRAWN' | 'UNKNOWN';
  /** The system would send now: granted, and not suppressed for another reason. */
  readonly mayReceive: boolean;
  /** When the decision was made; null: the system does not say. */
  readonly decidedAt: string | null;
  /** The vendor's own word. */
  readonly vendorState: string;
  readonly provenance: Provenance;
}

/** A decision to carry to a system that sends. The address is personal: never logged, never a key. */
export interface MarketingConsentWrite {
  /** The profile's id in that system. */
  readonly externalId: string;
  readonly medium: 'EMAIL' | 'SMS';
  readonly decision: 'GRANT' | 'WITHDRAW';
  /** The e-mail address or E.164 number the decision is about. */
  readonly address: string;
}

/** Proof that a person agreed that this recipient gets their data; made by the consent domain, moments ago. */
export interface OptIn {
  readonly purpose: Purpose;
  readonly recipient: string;
  /** When the ledger was asked, epoch milliseconds. */
  readonly decidedAtMs: number;
}

/** One person in or out of a list another company keeps. */
export interface AudienceWrite {
  /** The list's id there. */
  readonly list: string;
  readonly operation: 'ADD' | 'REMOVE';
  /** Our own reference of the person, never sent. */
  readonly reference: string;
  readonly email: string;
  /** Null blocks an ADD; a REMOVE needs none. */
  readonly optIn: OptIn | null;
}

/**
 * `ACCEPTED`: the system took the write and carries it out later. `SUPERSEDED`: it knows a later one and kept that. A
 * refused write was never sent.
 */
export type WriteResult =
  | { readonly kind: 'DONE' | 'ACCEPTED' | 'SUPERSEDED' }
  | { readonly kind: 'REFUSED'; readonly reason: RefusalReason };

/** A list another company keeps of people we named. */
export interface AudienceRecord extends ExternalRef {
  readonly name: string | null;
  readonly state: 'READY' | 'PROCESSING' | 'TOO_SMALL' | 'UNKNOWN';
  readonly vendorState: string;
  readonly uploadedCount: number | null;
  readonly provenance: Provenance;
}

/** Something published that shows interest in products; carries nothing of a person. */
export interface SignalRecord extends ExternalRef {
  readonly kind: string;
  /** The collection it is in; null: none. */
  readonly collectionId: string | null;
  readonly title: string | null;
  /** The page it leads to; null: none, or not http(s). */
  readonly link: string | null;
  readonly createdAt: string | null;
  readonly promoted: boolean | null;
  readonly provenance: Provenance;
}
