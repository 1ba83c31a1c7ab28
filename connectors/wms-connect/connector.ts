import type { ConnectorDefinition } from '#connectors/kit/definition.ts';

import { stockMoveSink } from './counts.ts';
import { orderStepSink } from './order-steps.ts';
import { orderFeed, ordersById } from './orders.ts';
import { connectSettings } from './settings.ts';
import type { ConnectSettings } from './settings.ts';
import { stockByItem } from './stock.ts';

/**
 * A WMS or 3PL behind the ShipEngine Connect contracts: stock per warehouse, state of fulfillments. Credentials travel in
 * the body of each call, as the contract says.
 * @source ShipEngine Connect order-source 4.9.0 (inventory_fetch, inventory_push), fulfillment-provider 4.6.0
 */
export const wmsConnect: ConnectorDefinition<ConnectSettings> = {
  id: 'wms-connect',
  vendor: 'ShipEngine Connect',
  apiVersion: 'order-source 4.9.0, fulfillment-provider 4.6.0',
  settings: connectSettings,
  auth: { kind: 'headers', headers: () => ({}) },
  limits: { concurrency: 32, pauseMs: 1_000 },
  capabilities: ['stock:read', 'stock:adjust', 'orders:read', 'orders:feed', 'orders:step'],
  // What is available where the WMS states nothing else.
  ports: {
    stock: { ...stockByItem, nets: ['committed'] },
    orders: ordersById,
    orderFeed,
    stockMoveSink,
    orderStepSink,
  },
};
