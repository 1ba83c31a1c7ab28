import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

import type { z } from 'zod';

import type { Clock } from '#platform/clock.ts';
import type { WebhookDelivery, WebhookReceiver } from '#schema/model/webhooks.ts';

import type { Context } from './definition.ts';
import type { DeliveryMemory } from './delivery-memory.ts';
import type { WireRequest } from './wire.ts';

/** What a genuine delivery says of itself; null: it is not the system's. */
export interface WebhookProof {
  /** When the system signed it, epoch milliseconds; null: it does not say. */
  readonly signedAtMs: number | null;
  /** The system's own id of the delivery; null: the same bytes are the same delivery. */
  readonly deliveryId: string | null;
}

/** How a system tells us that something changed: pure functions, like everything a connector has. */
export interface WebhookDefinition<S> {
  /** False: no secret is configured, so nothing can be verified and there is no such address. */
  readonly isConfigured: (settings: S) => boolean;
  /** The text to echo when the system asks whether the address is ours; null: this is no such question. */
  readonly handshake?: (delivery: WebhookDelivery, settings: S) => string | null;
  /** `json`: the body, undefined when it is none. Compare secrets with {@link isSame} only. */
  readonly verify: (delivery: WebhookDelivery, json: unknown, settings: S) => WebhookProof | null;
  /** The feed that is read when the system tells of such an event, by the event's name or what the name begins with. */
  readonly events: Readonly<Record<string, string>>;
  /** Feeds of `events` whose rows it says have changed; null: it cannot be read. */
  readonly feeds: (json: unknown) => readonly string[] | null;
  /** Absent: deliveries are set up in the system itself and do not end. */
  readonly subscription?: SubscriptionDefinition<S>;
}

/** Deliveries that are asked for, and asked for again before the system forgets. */
export interface SubscriptionDefinition<S, B = unknown> {
  readonly everyMs: number;
  /** What is asked for already. */
  readonly list: (context: Context<S>) => WireRequest;
  readonly page: z.ZodType<B>;
  /** What to send so that deliveries come to the address: nothing may be missing, nothing twice. */
  // eslint-disable-next-line typescript/no-explicit-any -- the answer's type is the definition's own affair
  readonly renewals: (listed: any, address: string, context: Context<S>) => readonly WireRequest[];
}

/** A delivery signed longer ago, or so far ahead, is not believed. */
const WINDOW_MS = 5 * 60_000;
export interface ReceiverOptions {
  readonly system: string;
  readonly clock: Clock;
  readonly deliveries: DeliveryMemory;
}

/** Decides about deliveries: genuine, recent and new ones are accepted; a replay changes nothing. Null: nothing can be verified. */
export function createWebhookReceiver<S>(
  definition: WebhookDefinition<S>,
  settings: S,
  { system, clock, deliveries }: ReceiverOptions,
): WebhookReceiver | null {
  if (!definition.isConfigured(settings)) return null;
  return async (delivery) => {
    const echo = definition.handshake?.(delivery, settings) ?? null;
    if (echo !== null) return { kind: 'HANDSHAKE', text: echo };
    const json = jsonOf(delivery.body);
    const proof = definition.verify(delivery, json, settings);
    if (proof === null || !isRecent(proof.signedAtMs, clock.nowMs())) return { kind: 'REFUSED' };
    const feeds = definition.feeds(json);
    if (feeds === null) return { kind: 'UNREADABLE' };
    const id = proof.deliveryId ?? createHash('sha256').update(delivery.body).digest('base64');
    const isNew = await deliveries.take(system, id);
    return isNew ? { kind: 'ACCEPTED', feeds: [...new Set(feeds)] } : { kind: 'REPLAYED' };
  };
}

function isRecent(signedAtMs: number | null, nowMs: number): boolean {
  return signedAtMs === null || Math.abs(nowMs - signedAtMs) <= WINDOW_MS;
}

function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}

/** Whether two texts are the same, in a time that does not depend on where they differ. */
export function isSame(given: string | undefined, wanted: string): boolean {
  const [left, right] = [given ?? '', wanted].map((text) => createHash('sha256').update(text).digest());
  return given !== undefined && left !== undefined && right !== undefined && timingSafeEqual(left, right);
}

/** The HMAC-SHA256 of the parts one after the other, as Base64. */
export function hmacOf(secret: string, parts: readonly (string | Uint8Array)[]): string {
  const hmac = createHmac('sha256', secret);
  for (const part of parts) hmac.update(part);
  return hmac.digest('base64');
}
