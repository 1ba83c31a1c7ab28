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

/** Decides about deliveries of one system. Does no I/O and never throws. */
export type WebhookReceiver = (delivery: WebhookDelivery) => WebhookAnswer;
