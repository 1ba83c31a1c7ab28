import type { ConnectorDefinition } from '#connectors/kit/definition.ts';

import { itemFeed } from './listings.ts';
import { stockOfferSink } from './offers.ts';
import { orderStepSink } from './order-steps.ts';
import { orderFeed } from './orders.ts';
import { amazonRates, observeAmazon } from './rates.ts';
import { restrictedToken } from './restricted.ts';
import { amazonSettings } from './settings.ts';
import type { AmazonSettings } from './settings.ts';
import { stockFeed } from './stock.ts';

/**
 * Amazon as seller: own listings, stock in Amazon's warehouses, orders with their anonymised buyers. Feeds only: the
 * limits of a few calls a minute forbid reading at request time. Writes: what may be sold from the seller's own places,
 * and pickups that move on.
 * @source Selling Partner API: Listings Items 2021-08-01, FBA Inventory v1, Orders 2026-01-01, External Fulfillment
 * Inventory 2024-09-11, Orders v0 (updateShipmentStatus); Login with Amazon
 */
export const marketplaceAmazon: ConnectorDefinition<AmazonSettings> = {
  id: 'marketplace-amazon',
  vendor: 'Amazon Selling Partner API',
  apiVersion: 'listings 2021-08-01, fba inventory v1, orders 2026-01-01, external inventory 2024-09-11',
  settings: amazonSettings,
  auth: {
    kind: 'token',
    endpoint: ({ tokenUrl }) => tokenUrl,
    form: ({ clientId, clientSecret, refreshToken }) => ({
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
      client_id: clientId,
      client_secret: clientSecret,
    }),
    headers: (token) => ({ 'x-amz-access-token': token, 'user-agent': 'Mortar/0.1 (Language=TypeScript)' }),
    // Amazon answers 403 to an expired access token.
    refusedWith: [401, 403],
    restricted: restrictedToken,
  },
  limits: { concurrency: 2, pauseMs: 2_000, rules: amazonRates, observe: observeAmazon },
  capabilities: ['items:feed', 'stock:feed', 'stock:publish', 'orders:feed', 'orders:step'],
  ports: { itemFeed, stockFeed, stockOfferSink, orderFeed, orderStepSink },
};
