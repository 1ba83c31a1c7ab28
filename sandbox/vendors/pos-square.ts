import type { Vendor, World } from '#sandbox/world/types.ts';
import { squareCatalogRoutes } from './pos-square-catalog.ts';
import { squareChangeRoutes } from './pos-square-changes.ts';
import { squareCustomerRoutes } from './pos-square-customers.ts';
import { squareCountRoutes } from './pos-square-inventory.ts';
import { SQUARE_TIER_POINTS, squareLoyaltyRoutes } from './pos-square-loyalty.ts';
import { squareOrderRoutes } from './pos-square-orders.ts';
import { SQUARE_SIGNATURE_KEY, squareWebhooks } from './pos-square-webhooks.ts';
import { squareErrors } from './pos-square-wire.ts';
import type { SquareCall } from './pos-square-wire.ts';
import { Refusal } from './refusal.ts';
import { matchRoute, operationName } from './route-table.ts';
import type { Route } from './route-table.ts';

const TOKEN = 'sandbox-square-token';
const VERSION = '2025-08-20';

const ROUTES: readonly Route<SquareCall>[] = [
  ...squareCatalogRoutes,
  ...squareChangeRoutes,
  ...squareCountRoutes,
  ...squareCustomerRoutes,
  ...squareLoyaltyRoutes,
  ...squareOrderRoutes,
];

/**
 * The tills, in Square's wire format (api.json 2025-08-20): locations, catalog, stock, customers, loyalty, orders.
 * Stock changes written to it change the world.
 *
 * @param nowMs - the clock that stamps changes
 */
export function createSquareVendor({ nowMs = Date.now }: { readonly nowMs?: () => number } = {}): Vendor {
  return {
    system: 'pos',
    connector: 'pos-square',
    handler: (request, world) => answer(request, world, nowMs),
    credentials: { token: TOKEN, webhookSignatureKey: SQUARE_SIGNATURE_KEY },
    options: {
      apiVersion: VERSION,
      loyaltyTiers: Object.entries(SQUARE_TIER_POINTS).map(([name, points]) => `${name}=${points}`),
    },
    operationOf: (request) => operationName(ROUTES, request),
    webhooks: squareWebhooks,
    rateLimited: () =>
      squareErrors(429, [{ category: 'RATE_LIMIT_ERROR', code: 'RATE_LIMITED', detail: 'Too many requests' }]),
    failed: () =>
      squareErrors(500, [{ category: 'API_ERROR', code: 'INTERNAL_SERVER_ERROR', detail: 'An internal error' }]),
  };
}

async function answer(request: Request, world: World, nowMs: () => number): Promise<Response> {
  if (request.headers.get('authorization') !== `Bearer ${TOKEN}`) {
    const detail = 'This request could not be authorized.';
    return squareErrors(401, [{ category: 'AUTHENTICATION_ERROR', code: 'UNAUTHORIZED', detail }]);
  }
  const version = request.headers.get('square-version');
  if (version !== null && !/^\d{4}-\d\d-\d\d$/.test(version)) {
    return squareErrors(400, [{ code: 'INVALID_SQUARE_VERSION_FORMAT', detail: 'Square-Version is no date' }]);
  }
  const url = new URL(request.url);
  const found = matchRoute(ROUTES, request.method, url.pathname);
  if (found === null) return squareErrors(404, [{ code: 'NOT_FOUND', detail: 'Resource not found.' }]);
  try {
    return await found.route.handle({ request, url, world, nowMs: nowMs() }, found.parameters);
  } catch (error) {
    if (error instanceof Refusal) return error.response;
    throw error;
  }
}
