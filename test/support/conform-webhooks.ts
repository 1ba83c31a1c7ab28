// Deliveries as the vendors would send them, for the conformance suite.
import { createHmac } from 'node:crypto';

import type { ConformWebhook } from './conform-harness.ts';

const hmac = (secret: string, text: string): string => createHmac('sha256', secret).update(text).digest('base64');
const HOOK = 'https://graph.example/webhooks/vendor';

export const squareHook: ConformWebhook = {
  credentials: { webhookSignatureKey: 'square-key' },
  url: HOOK,
  body: '{"event_id":"e-1","type":"customer.updated","data":{"id":"C1"}}',
  headers: (body) => ({ 'x-square-hmacsha256-signature': hmac('square-key', HOOK + body) }),
  feeds: ['customers'],
};
export const hubspotHook: ConformWebhook = {
  credentials: { clientSecret: 'hubspot-secret' },
  url: HOOK,
  body: '[{"eventId":1,"subscriptionType":"contact.propertyChange","objectId":101}]',
  headers: (body, sentAtMs) => ({
    'x-hubspot-request-timestamp': String(sentAtMs),
    'x-hubspot-signature-v3': hmac('hubspot-secret', `POST${HOOK}${body}${sentAtMs}`),
  }),
  feeds: ['contacts'],
};
const erpNotice = (clientState: string): string =>
  JSON.stringify({
    value: [
      { clientState, resource: 'api/v2.0/companies(1)/items(2)', changeType: 'updated' },
      { clientState, resource: 'api/v2.0/companies(1)/salesOrders?$filter=x', changeType: 'collection' },
    ],
  });
export const erpHook: ConformWebhook = {
  credentials: { clientState: 'a-long-enough-state' },
  url: HOOK,
  body: erpNotice('a-long-enough-state'),
  headers: () => ({}),
  forgedBody: erpNotice('another-long-state!'),
  feeds: ['items', 'orders'],
};
