import type { ConnectorName } from '#gateway/connector-names.ts';

/** Contract files below `../shared/specs` by the beginning of a request's path; vendors without one are absent. */
export const VENDOR_CONTRACTS = {
  'wms-connect': {
    '/inventory_': 'shipengine/connect-order-source-4.9.0.json',
    '/get_': 'shipengine/connect-fulfillment-provider-4.6.0.json',
    '/cancel_': 'shipengine/connect-fulfillment-provider-4.6.0.json',
  },
  'pos-square': { '/v2/': 'square/square-2025-08-20.json' },
  'marketplace-amazon': {
    '/listings/': 'amazon-sp-api/listingsItems_2021-08-01.json',
    '/fba/': 'amazon-sp-api/fbaInventory.json',
    '/orders/2026-01-01/': 'amazon-sp-api/orders_2026.json',
    '/orders/v0/': 'amazon-sp-api/ordersV0.json',
    '/externalFulfillment/': 'amazon-sp-api/extinv.json',
  },
  'carrier-shipengine': { '/v1/': 'shipengine/shipengine.json' },
  'email-klaviyo': { '/api/': 'klaviyo/profiles-2026-07-15.json' },
  'social-pinterest': { '/': 'pinterest/v5.json' },
} as const satisfies Partial<Record<ConnectorName, Readonly<Record<string, string>>>>;
