import type { ConnectorDefinition } from '#connectors/kit/definition.ts';

import { itemFeed } from './catalog.ts';
import { profileFeed, profilesById } from './customers.ts';
import { locations } from './locations.ts';
import { loyaltyByCustomer } from './loyalty.ts';
import { orderStepSink } from './order-steps.ts';
import { orderFeed, ordersById } from './orders.ts';
import { squareSettings } from './settings.ts';
import type { SquareSettings } from './settings.ts';
import { stockFeed } from './stock-feed.ts';
import { stockMoveSink } from './stock-moves.ts';
import { stockByItem } from './stock.ts';
import { squareWebhook } from './webhook.ts';

/**
 * Square: stores, counts per store, customers, loyalty accounts, sales.
 * @source Square API 2025-08-20
 */
export const posSquare: ConnectorDefinition<SquareSettings> = {
  id: 'pos-square',
  vendor: 'Square',
  apiVersion: '2025-08-20',
  settings: squareSettings,
  auth: {
    kind: 'headers',
    headers: ({ token, apiVersion }) => ({ authorization: `Bearer ${token}`, 'square-version': apiVersion }),
  },
  // Square publishes no rates; it answers 429 RATE_LIMITED without a time.
  limits: { concurrency: 32, pauseMs: 1_000 },
  capabilities: [
    'locations:read',
    'items:feed',
    'stock:read',
    'stock:feed',
    'stock:adjust',
    'profiles:read',
    'profiles:feed',
    'loyalty:read',
    'orders:read',
    'orders:feed',
    'orders:step',
  ],
  webhook: squareWebhook,
  ports: {
    locations,
    itemFeed,
    stock: stockByItem,
    stockFeed,
    stockMoveSink,
    profiles: profilesById,
    profileFeed,
    loyalty: loyaltyByCustomer,
    orders: ordersById,
    orderFeed,
    orderStepSink,
  },
};
