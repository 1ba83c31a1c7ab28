import { z } from 'zod';

import type { ConnectorDefinition } from '#connectors/kit/definition.ts';

import { itemFeed, itemsByCode } from './items.ts';
import { orderFeed, ordersById } from './orders.ts';
import { profileFeed, profilesById } from './parties.ts';
import { trytonSettings } from './settings.ts';
import type { TrytonSettings } from './settings.ts';
import { stockByItem } from './stock.ts';
import { profileSink, stockMoveSink } from './writes.ts';

/**
 * Tryton: products, prices, parties, sales with their shipments, and the stock of its warehouses.
 * @source Tryton 6.0, JSON-RPC (trytond/protocols) and the models of party, product, sale, stock; login as `common.db.login`
 */
export const erpTryton: ConnectorDefinition<TrytonSettings> = {
  id: 'erp-tryton',
  vendor: 'Tryton',
  apiVersion: '6.0',
  settings: trytonSettings,
  inheritsCurrency: true,
  auth: {
    kind: 'session',
    endpoint: ({ loginUrl }) => loginUrl,
    login: ({ login, password }) => ({ method: 'common.db.login', params: [login, { password }, 'en'] }),
    key: z.tuple([z.int(), z.string().min(1)]).transform(([user, key]) => `${user}:${key}`),
    // A session lives a month; one that was ended before answers 401, and we log in again.
    lifeMs: 24 * 3_600_000,
    headers: (key, { login }) => ({
      authorization: `Session ${Buffer.from(`${login}:${key}`).toString('base64')}`,
    }),
  },
  // Tryton publishes no rate. One call of its own is one thread of a Python process.
  limits: { concurrency: 8, pauseMs: 1_000 },
  capabilities: [
    'items:read',
    'items:feed',
    'stock:read',
    'stock:write',
    'profiles:read',
    'profiles:feed',
    'profiles:write',
    'orders:read',
    'orders:feed',
  ],
  ports: {
    items: itemsByCode,
    itemFeed,
    stock: stockByItem,
    stockMoveSink,
    profiles: profilesById,
    profileFeed,
    profileSink,
    orders: ordersById,
    orderFeed,
  },
};
