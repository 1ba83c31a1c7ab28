import { createHmac, randomInt } from 'node:crypto';
import type { WorldChange } from '#sandbox/world/announcements.ts';
import type { WebhookContext, WebhookMessage } from '#sandbox/world/types.ts';

/** Of the sandbox's app. */
export const HUBSPOT_CLIENT_SECRET = 'sandbox-hubspot-client-secret';

/**
 * HubSpot's events: a contact changed or was erased. Signed (v3) over method, address, body and time.
 * Source: developers.hubspot.com, "Webhooks API" and "Validating requests from HubSpot"
 */
export function hubspotWebhooks(change: WorldChange, { nowMs, base }: WebhookContext): readonly WebhookMessage[] {
  if (base === null || change.kind !== 'profile' || change.profile.system !== 'crm') return [];
  const url = `${base}/webhooks/crm`;
  const body = JSON.stringify([
    {
      eventId: randomInt(1, 2 ** 31),
      subscriptionId: 1,
      portalId: 1,
      appId: 1,
      occurredAt: nowMs,
      subscriptionType: change.isErased ? 'contact.privacyDeletion' : 'contact.propertyChange',
      attemptNumber: 0,
      objectId: Number(change.profile.externalId),
      changeSource: 'INTEGRATION',
    },
  ]);
  const time = String(nowMs);
  const signature = createHmac('sha256', HUBSPOT_CLIENT_SECRET).update(`POST${url}${body}${time}`).digest('base64');
  const headers = {
    'content-type': 'application/json',
    'x-hubspot-request-timestamp': time,
    'x-hubspot-signature-v3': signature,
  };
  return [{ url, headers, body }];
}
