/** A request that claims to come from a system. */
export interface WebhookDelivery {
  /** The address the system was given, with its query, as callers see it. */
  readonly url: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body exactly as it came. */
  readonly body: Uint8Array;
}

export type WebhookAnswer =
  /** Not signed by the system, or too long ago: 401. */
  | { readonly kind: 'REFUSED' }
  /** Signed and not readable: 400. */
  | { readonly kind: 'UNREADABLE' }
  /** The system asks whether the address is ours: 200 with this text. */
  | { readonly kind: 'HANDSHAKE'; readonly text: string }
  /** Seen before; nothing is done. */
  | { readonly kind: 'REPLAYED' }
  /** New; the feeds named should be read now. */
  | { readonly kind: 'ACCEPTED'; readonly feeds: readonly string[] };

/** Decides about deliveries of one system; asks no system, and never rejects. */
export type WebhookReceiver = (delivery: WebhookDelivery) => Promise<WebhookAnswer>;

/** What a system must be asked so that it goes on sending webhooks. */
export interface WebhookSubscription {
  /** How often; well before the system forgets us. */
  readonly everyMs: number;
  /**
   * Makes or renews what is needed for deliveries to an address. The system may ask the address meanwhile whether it is ours.
   * @throws {MortarError} UPSTREAM_*
   */
  readonly renew: (address: string, signal: AbortSignal) => Promise<void>;
}
