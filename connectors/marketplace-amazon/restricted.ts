import type { AmazonSettings } from './settings.ts';

export const ORDERS_PATH = '/orders/2026-01-01/orders';

/** The exchange for a restricted data token that opens buyers and addresses of orders; null: not asked for. Source: Tokens API 2021-03-01. */
export function restrictedToken({
  url,
  restrictedDataToken,
}: AmazonSettings): { endpoint: string; json: unknown } | null {
  if (!restrictedDataToken) return null;
  return {
    endpoint: `${url}/tokens/2021-03-01/restrictedDataToken`,
    json: {
      restrictedResources: [{ method: 'GET', path: ORDERS_PATH, dataElements: ['buyerInfo', 'shippingAddress'] }],
    },
  };
}
