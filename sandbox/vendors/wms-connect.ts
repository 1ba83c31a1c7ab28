import type { Vendor, World } from '#sandbox/world/types.ts';
import { Refusal } from './refusal.ts';
import { matchRoute, operationName } from './route-table.ts';
import type { Route } from './route-table.ts';
import { getFulfillments, getRecentChanges } from './wms-fulfillments.ts';
import { inventoryFetch } from './wms-inventory.ts';
import { cancelFulfillment, inventoryPush } from './wms-writes.ts';
import { connectError, orderSourceCall, readConnectBody, WMS_API_KEY } from './wms-wire.ts';

/** One request to the WMS fake. */
export interface WmsCall {
  readonly request: Request;
  readonly world: World;
  readonly nowMs: number;
}

const ROUTES: readonly Route<WmsCall>[] = [
  { method: 'POST', path: '/inventory_fetch', handle: inventoryFetch },
  { method: 'POST', path: '/validate_connection', handle: validateConnection },
  { method: 'POST', path: '/get_fulfillments', handle: getFulfillments },
  { method: 'POST', path: '/get_recent_changes', handle: getRecentChanges },
  { method: 'POST', path: '/inventory_push', handle: inventoryPush },
  { method: 'POST', path: '/cancel_fulfillment', handle: cancelFulfillment },
];

/**
 * The WMS of the warehouses and the drop-ship supplier, in ShipEngine Connect's wire format: stock by `inventory_fetch`
 * (order-source 4.9.0), fulfillments by `get_fulfillments` and `get_recent_changes` (fulfillment-provider 4.6.0);
 * counts by `inventory_push`, cancellations by `cancel_fulfillment`.
 *
 * @param nowMs - the clock that stamps readings
 */
export function createWmsVendor({ nowMs = Date.now }: { readonly nowMs?: () => number } = {}): Vendor {
  return {
    system: 'wms',
    connector: 'wms-connect',
    handler: (request, world) => answer({ request, world, nowMs: nowMs() }),
    credentials: { apiKey: WMS_API_KEY },
    options: { orderIdPrefix: 'FF-' },
    operationOf: (request) => operationName(ROUTES, request),
    rateLimited: () => Response.json({ retry_after_seconds: 1 }, { status: 429 }),
    failed: () => connectError(500, 'unhandled_module_exception', 'Something went wrong.'),
  };
}

async function answer(call: WmsCall): Promise<Response> {
  const found = matchRoute(ROUTES, call.request.method, new URL(call.request.url).pathname);
  if (found === null) return connectError(404, 'generic', 'This module does not implement the operation.');
  try {
    return await found.route.handle(call, found.parameters);
  } catch (error) {
    if (error instanceof Refusal) return error.response;
    throw error;
  }
}

async function validateConnection({ request }: WmsCall): Promise<Response> {
  await readConnectBody(request, orderSourceCall);
  return new Response(null, { status: 200 });
}
