import { z } from 'zod';

import { isSame } from '#connectors/kit/webhook.ts';
import type { WebhookDefinition } from '#connectors/kit/webhook.ts';
import { wordOf } from '#connectors/kit/text.ts';

import type { BusinessCentralSettings } from './settings.ts';
import { businessCentralSubscription } from './subscription.ts';

const notifications = z.object({
  value: z
    .array(z.object({ clientState: z.string(), resource: z.string() }))
    .min(1)
    .max(1_000),
});

/** By the entity set that changed. */
const EVENTS: Readonly<Record<string, string>> = { items: 'items', salesOrders: 'orders' };

/** The entity set of a resource such as `api/v2.0/companies(...)/items(...)`. */
const SET = /(?:^|\/)([A-Za-z]+)(?:\([^/]*\))?(?:\?.*)?$/;

/**
 * Business Central proves itself by the secret we gave it as `clientState`, in every notification; it says no time. It asks
 * whether the address is ours, when a subscription is made and at each renewal (every three days), by a token to echo.
 */
export const businessCentralWebhook: WebhookDefinition<BusinessCentralSettings> = {
  subscription: businessCentralSubscription,
  isConfigured: ({ clientState }) => clientState !== undefined,
  handshake: ({ url }) => {
    const token = URL.parse(url)?.searchParams.get('validationToken') ?? null;
    // What is echoed is shown to whoever asks: plain characters only.
    return token !== null && /^[\w .:;,=+/@~-]{1,1024}$/.test(token) ? token : null;
  },
  verify: (_delivery, json, { clientState }) => {
    const read = notifications.safeParse(json);
    if (!read.success || clientState === undefined) return null;
    const isGenuine = read.data.value.every((entry) => isSame(entry.clientState, clientState));
    return isGenuine ? { signedAtMs: null, deliveryId: null } : null;
  },
  events: EVENTS,
  feeds: (json) => {
    const read = notifications.safeParse(json);
    if (!read.success) return null;
    return read.data.value.flatMap(({ resource }) => {
      const set = SET.exec(resource)?.[1] ?? '';
      const feed = wordOf(EVENTS, set);
      return feed === null ? [] : [feed];
    });
  },
};
