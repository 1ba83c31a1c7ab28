import type { OrderState, PostalAddress } from './records.ts';

// What the graph tells systems besides marketing decisions. Each write names the thing by its id in that system.

/** Units that came, went, or were counted at one place. The same event has the same key, however often it is told. */
export interface StockMove {
  /** Of the event, at most 100 characters; a system that remembers keys applies it once. */
  readonly key: string;
  readonly externalId: string;
  readonly locationExternalId: string;
  /** COUNTED: the shelf holds `units` for sale, whatever was thought before. */
  readonly kind: 'RECEIVED' | 'RETURNED' | 'SOLD' | 'LOST' | 'COUNTED';
  /** Whole base units; more than none, but for COUNTED. */
  readonly units: number;
  /** When it happened; ISO 8601. */
  readonly at: string;
}

/** How many units a sales channel may sell from one place, from now on. */
export interface StockOffer {
  readonly externalId: string;
  readonly locationExternalId: string;
  /** Whole base units; none or more. */
  readonly units: number;
  /** Rises with every offer of this item and place: of two offers the higher number counts, whichever arrives last. */
  readonly sequence: number;
}

/** A person's record to be erased for good; the system refuses to take the person in again where it can. */
export interface ProfileErasure {
  readonly externalId: string;
}

/** An order moves on. */
export interface OrderStep {
  /** Of the event, at most 45 characters; a system that remembers keys applies it once. */
  readonly key: string;
  readonly externalId: string;
  readonly state: Extract<OrderState, 'PICKING' | 'READY_FOR_PICKUP' | 'COLLECTED' | 'CANCELED'>;
}

/** A person to be taken in. All values but the code are personal: never logged, never a key. */
export interface NewProfile {
  /** Ours, at most 100 characters: a system takes a code in once. */
  readonly code: string;
  /** One of the names at least. */
  readonly givenName: string | null;
  readonly familyName: string | null;
  readonly email: string | null;
  /** E.164. */
  readonly phone: string | null;
  readonly address: PostalAddress | null;
}
