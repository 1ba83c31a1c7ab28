import type { ConnectorDefinition } from '#connectors/kit/definition.ts';

import { itemFeed, itemsByCode } from './items.ts';
import { orderFeed, ordersById } from './orders.ts';
import { businessCentralSettings } from './settings.ts';
import type { BusinessCentralSettings } from './settings.ts';
import { businessCentralWebhook } from './webhook.ts';

/**
 * Microsoft Dynamics 365 Business Central: items with list price and company-wide quantity, sales orders.
 * @source Business Central API (v2.0); OAuth 2.0 client credentials (service-to-service)
 */
export const erpBusinessCentral: ConnectorDefinition<BusinessCentralSettings> = {
  id: 'erp-business-central',
  vendor: 'Microsoft Dynamics 365 Business Central',
  apiVersion: 'v2.0',
  settings: businessCentralSettings,
  inheritsCurrency: true,
  auth: {
    kind: 'token',
    endpoint: ({ tokenUrl }) => tokenUrl,
    form: ({ clientId, clientSecret, scope }) => ({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      scope,
    }),
    headers: (token) => ({ authorization: `Bearer ${token}` }),
  },
  // Five requests at once per user; more are queued by the service and then refused with 429.
  limits: {
    concurrency: 5,
    pauseMs: 1_000,
    // Per user, sliding. Source: Business Central, "Operational limits: OData".
    rules: () => [{ kind: 'window', name: 'user', limit: 6_000, windowMs: 300_000 }],
  },
  capabilities: ['items:read', 'items:feed', 'orders:read', 'orders:feed', 'stock:witness'],
  webhook: businessCentralWebhook,
  ports: { items: itemsByCode, itemFeed, orders: ordersById, orderFeed },
};
