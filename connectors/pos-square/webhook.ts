import { z } from 'zod';

import { hmacOf, isSame } from '#connectors/kit/webhook.ts';
import type { WebhookDefinition } from '#connectors/kit/webhook.ts';

import type { SquareSettings } from './settings.ts';

const event = z.object({ event_id: z.string().min(1).max(200), type: z.string() });

/** By what an event's type begins with. Source: Square webhook event reference. */
const EVENTS: Readonly<Record<string, string>> = {
  'catalog.': 'items',
  'customer.': 'customers',
  'inventory.': 'stock',
  'order.': 'orders',
};

/** Square signs the notification URL and the body, and says no time: an event is known by its id. */
export const squareWebhook: WebhookDefinition<SquareSettings> = {
  isConfigured: ({ webhookSignatureKey }) => webhookSignatureKey !== undefined,
  verify: ({ url, headers, body }, json, { webhookSignatureKey }) => {
    if (webhookSignatureKey === undefined) return null;
    if (!isSame(headers['x-square-hmacsha256-signature'], hmacOf(webhookSignatureKey, [url, body]))) return null;
    return { signedAtMs: null, deliveryId: event.safeParse(json).data?.event_id ?? null };
  },
  events: EVENTS,
  feeds: (json) => {
    const read = event.safeParse(json);
    if (!read.success) return null;
    const { type } = read.data;
    return Object.entries(EVENTS).flatMap(([beginning, feed]) => (type.startsWith(beginning) ? [feed] : []));
  },
};
