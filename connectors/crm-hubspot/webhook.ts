import { z } from 'zod';

import { hmacOf, isSame } from '#connectors/kit/webhook.ts';
import type { WebhookDefinition } from '#connectors/kit/webhook.ts';

import type { HubspotSettings } from './settings.ts';

const events = z.array(z.object({ subscriptionType: z.string() })).max(100);

const EVENTS: Readonly<Record<string, string>> = { 'contact.': 'contacts' };

/** HubSpot signs method, address, body and time with the app's secret (v3); a delivery has up to 100 events. */
export const hubspotWebhook: WebhookDefinition<HubspotSettings> = {
  isConfigured: ({ clientSecret }) => clientSecret !== undefined,
  verify: ({ url, headers, body }, _json, { clientSecret }) => {
    const sentAt = headers['x-hubspot-request-timestamp'] ?? '';
    if (clientSecret === undefined || !/^\d{13}$/.test(sentAt)) return null;
    const signature = hmacOf(clientSecret, ['POST', url, body, sentAt]);
    if (!isSame(headers['x-hubspot-signature-v3'], signature)) return null;
    // The signature covers the time, so a second sending of the same events is another delivery.
    return { signedAtMs: Number(sentAt), deliveryId: signature };
  },
  events: EVENTS,
  feeds: (json) => {
    const read = events.safeParse(json);
    if (!read.success) return null;
    return Object.entries(EVENTS).flatMap(([beginning, feed]) =>
      read.data.some(({ subscriptionType }) => subscriptionType.startsWith(beginning)) ? [feed] : [],
    );
  },
};
