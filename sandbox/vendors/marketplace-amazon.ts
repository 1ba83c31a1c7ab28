import type { Vendor, World } from '#sandbox/world/types.ts';
import { amazonFbaRoutes } from './marketplace-amazon-fba.ts';
import { amazonListingRoutes } from './marketplace-amazon-listings.ts';
import { amazonOfferRoutes } from './marketplace-amazon-offers.ts';
import { amazonOrder2026Routes } from './marketplace-amazon-orders-2026.ts';
import { amazonOrderV0Routes } from './marketplace-amazon-orders-v0.ts';
import { amazonShipmentRoutes } from './marketplace-amazon-shipment.ts';
import {
  AMAZON_CREDENTIALS,
  amazonDenied,
  createAmazonTokens,
  LWA_PATH,
  RESTRICTED_TOKEN_PATH,
} from './marketplace-amazon-tokens.ts';
import type { AmazonTokens } from './marketplace-amazon-tokens.ts';
import { AMAZON_MARKETPLACE_ID, AMAZON_SELLER_ID, amazonError } from './marketplace-amazon-wire.ts';
import type { AmazonCall } from './marketplace-amazon-wire.ts';
import { Refusal } from './refusal.ts';
import { matchRoute, operationName } from './route-table.ts';
import type { Route } from './route-table.ts';

/** What the retailer calls Amazon's warehouses; SP-API itself names no place. */
const STOCK_LOCATION = 'FBA-GB';

const ROUTES: readonly Route<AmazonCall>[] = [
  ...amazonFbaRoutes,
  ...amazonListingRoutes,
  ...amazonOfferRoutes,
  ...amazonOrder2026Routes,
  ...amazonOrderV0Routes,
  ...amazonShipmentRoutes,
];
const NAMED: readonly Route<AmazonCall>[] = [
  ...ROUTES,
  ...[LWA_PATH, RESTRICTED_TOKEN_PATH].map((path) => ({
    method: 'POST',
    path,
    handle: () => amazonError(404, 'NotFound', ''),
  })),
];

/**
 * The marketplace, in Amazon's wire format (SP-API: Login with Amazon, restricted data tokens, FBA inventory v1,
 * listings 2021-08-01, external fulfillment inventory 2024-09-11, orders v0 and 2026-01-01). The token server is part of it: `POST /auth/o2/token`.
 *
 * @param nowMs - the clock that ages tokens
 */
export function createAmazonVendor({ nowMs = Date.now }: { readonly nowMs?: () => number } = {}): Vendor {
  const tokens = createAmazonTokens();
  return {
    system: 'marketplace',
    connector: 'marketplace-amazon',
    handler: (request, world) => answer(request, world, { tokens, nowMs: nowMs() }),
    credentials: { ...AMAZON_CREDENTIALS },
    options: {
      // The fake takes any number of calls: nobody need wait for it.
      rateFactor: 1_000,
      sellerId: AMAZON_SELLER_ID,
      marketplaceId: AMAZON_MARKETPLACE_ID,
      stockLocation: STOCK_LOCATION,
      // This seller's buyers and addresses come only with a restricted data token.
      restrictedDataToken: true,
    },
    operationOf: (request) => operationName(NAMED, request),
    rateLimited: () => amazonError(429, 'QuotaExceeded', 'You exceeded your quota for the requested resource.'),
    failed: () => amazonError(500, 'InternalFailure', 'We encountered an internal error. Please try again.'),
  };
}

async function answer(
  request: Request,
  world: World,
  { tokens, nowMs }: { readonly tokens: AmazonTokens; readonly nowMs: number },
): Promise<Response> {
  const url = new URL(request.url);
  try {
    if (request.method === 'POST' && url.pathname === LWA_PATH) return await tokens.login(request, nowMs);
    const access = tokens.check(request, nowMs);
    if (access.kind === 'denied') return amazonDenied(access.details);
    if (request.method === 'POST' && url.pathname === RESTRICTED_TOKEN_PATH)
      return await tokens.restrict(request, nowMs);
    const found = matchRoute(ROUTES, request.method, url.pathname);
    if (found === null) return amazonError(404, 'NotFound', 'The resource specified does not exist.');
    return await found.route.handle({ request, url, world, nowMs, restricted: access.restricted }, found.parameters);
  } catch (error) {
    if (error instanceof Refusal) return error.response;
    throw error;
  }
}
