import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

import { LRUCache } from 'lru-cache';

import type { Clock } from '#platform/clock.ts';
import type { WebhookDelivery, WebhookReceiver } from '#schema/model/webhooks.ts';

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
  /** Feeds whose rows it says have changed; null: it cannot be read. */
  readonly feeds: (json: unknown) => readonly string[] | null;
}

/** A delivery signed longer ago, or so far ahead, is not believed. */
const WINDOW_MS = 5 * 60_000;
/** Deliveries remembered: a day of them, at most so many. */
const MOST_SEEN = 20_000;
const REMEMBERED_MS = 24 * 3_600_000;

/** Decides about deliveries: genuine, recent and new ones are accepted; a replay changes nothing. */
export function createWebhookReceiver<S>(
  definition: WebhookDefinition<S>,
  settings: S,
  clock: Clock,
): WebhookReceiver | null {
  if (!definition.isConfigured(settings)) return null;
  const seen = new LRUCache<string, number>({ max: MOST_SEEN });
  const isNew = (key: string, nowMs: number): boolean => {
    const seenAtMs = seen.get(key);
    if (seenAtMs !== undefined && nowMs - seenAtMs < REMEMBERED_MS) return false;
    seen.set(key, nowMs);
    return true;
  };
  return (delivery) => {
    const echo = definition.handshake?.(delivery, settings) ?? null;
    if (echo !== null) return { kind: 'HANDSHAKE', text: echo };
    const json = jsonOf(delivery.body);
    const proof = definition.verify(delivery, json, settings);
    const nowMs = clock.nowMs();
    if (proof === null || !isRecent(proof.signedAtMs, nowMs)) return { kind: 'REFUSED' };
    const feeds = definition.feeds(json);
    if (feeds === null) return { kind: 'UNREADABLE' };
    const key = proof.deliveryId ?? createHash('sha256').update(delivery.body).digest('base64');
    return isNew(key, nowMs) ? { kind: 'ACCEPTED', feeds: [...new Set(feeds)] } : { kind: 'REPLAYED' };
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
