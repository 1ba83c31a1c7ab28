import { z } from 'zod';
import type { World } from '#sandbox/world/types.ts';
import { listedProducts } from './marketplace-amazon-products.ts';
import type { ListedProduct } from './marketplace-amazon-products.ts';
import { AMAZON_MARKETPLACE_ID, amazonError, amazonJson, amazonRefusal } from './marketplace-amazon-wire.ts';
import type { AmazonCall } from './marketplace-amazon-wire.ts';
import type { Route } from './route-table.ts';

/** What the seller offers from one of their own places. */
interface Offer {
  units: number;
  sequence: number;
  at: string;
}

const offers = new WeakMap<World, Map<string, Map<string, Offer>>>();

const MAX_REQUESTS = 10;
const body = z.object({
  requests: z
    .array(
      z.object({
        method: z.enum(['GET', 'POST']),
        uri: z.string().max(2_000),
        body: z
          .object({
            quantity: z.int().optional(),
            clientSequenceNumber: z.int().optional(),
            marketplaceAttributes: z
              .object({
                channelName: z.enum(['FBA', 'MFN', 'DF']).optional(),
                marketplaceId: z.string().optional(),
              })
              .optional(),
          })
          .optional(),
      }),
    )
    .min(1),
});
type OneRequest = z.output<typeof body>['requests'][number];

/** Stock in the seller's own places (External Fulfillment Inventory 2024-09-11): the highest sequence number stays. */
export const amazonOfferRoutes: readonly Route<AmazonCall>[] = [
  { method: 'POST', path: '/externalFulfillment/inventory/2024-09-11/inventories', handle: batch },
];

/** Units the seller offers of a listing, over all of their places, and since when; null: none was ever told. */
export function offeredBySeller(
  world: World,
  { sellerSku }: ListedProduct,
): { readonly units: number; readonly at: string } | null {
  const own = [...(offers.get(world)?.get(sellerSku)?.values() ?? [])];
  if (own.length === 0) return null;
  const latest =
    own
      .map(({ at }) => at)
      .toSorted()
      .at(-1) ?? '';
  return { units: own.reduce((sum, { units }) => sum + units, 0), at: latest };
}

async function batch(call: AmazonCall): Promise<Response> {
  const parsed = body.safeParse(await call.request.json().catch(() => null));
  if (!parsed.success) throw amazonRefusal('The body is not valid');
  const { requests } = parsed.data;
  if (requests.length > MAX_REQUESTS) {
    return amazonError(400, 'BATCH_SIZE_EXCEED', 'Maximum number for requests supported in batch is 10.');
  }
  return amazonJson({ responses: requests.map((request) => one(call, request)) }, 207);
}

function one({ world, nowMs }: AmazonCall, request: OneRequest): object {
  const url = new URL(request.uri, 'http://batch.invalid');
  const [skuId, locationId] = [url.searchParams.get('skuId') ?? '', url.searchParams.get('locationId') ?? ''];
  const isUpdate = url.pathname === '/inventory/update';
  const refuse = (errorType: string, errorSubType: string): object => ({
    status: { statusCode: 400, reasonPhrase: 'Invalid Input' },
    body: { skuId, locationId, actionableErrors: [{ errorType, errorSubType }] },
  });
  if (request.method !== 'POST' || (!isUpdate && url.pathname !== '/inventory/fetch')) {
    return refuse('INVALID_URI', 'There is no such operation.');
  }
  const known = listedProducts(world).get(skuId);
  if (known === undefined) {
    return refuse('INVALID_SKU', 'The requested Sku does not exist for the seller in requested marketplace.');
  }
  const place = world.places.find(({ code, kind }) => code === locationId && kind !== 'MARKETPLACE_WAREHOUSE');
  if (place === undefined) return refuse('INVALID_LOCATION', 'The location does not exist for the seller.');
  const { quantity, clientSequenceNumber: sequence, marketplaceAttributes } = request.body ?? {};
  if (isUpdate && (quantity === undefined || quantity < 0 || sequence === undefined)) {
    return refuse('INVALID_QUANTITY', 'Quantity and sequence number are required.');
  }
  const asked = marketplaceAttributes?.marketplaceId ?? AMAZON_MARKETPLACE_ID;
  if (asked !== AMAZON_MARKETPLACE_ID) return refuse('INVALID_MARKETPLACE', 'The marketplace is not of this seller.');
  const kept = keep(world, { skuId, locationId }, { units: quantity, sequence, at: new Date(nowMs).toISOString() });
  return {
    status: { statusCode: 200, reasonPhrase: 'Success' },
    body: {
      locationId,
      skuId,
      sellableQuantity: kept?.units ?? 0,
      reservedQuantity: 0,
      ...(kept === undefined ? {} : { clientSequenceNumber: kept.sequence }),
      marketplaceAttributes: { marketplaceId: asked, channelName: marketplaceAttributes?.channelName ?? 'MFN' },
      actionableErrors: [],
    },
  };
}

/** What is offered after an update, or now where none was asked for. An older or equal number changes nothing. */
function keep(
  world: World,
  { skuId, locationId }: { readonly skuId: string; readonly locationId: string },
  update: { readonly units: number | undefined; readonly sequence: number | undefined; readonly at: string },
): Offer | undefined {
  const bySku = offers.get(world) ?? new Map<string, Map<string, Offer>>();
  offers.set(world, bySku);
  const byPlace = bySku.get(skuId) ?? new Map<string, Offer>();
  bySku.set(skuId, byPlace);
  const now = byPlace.get(locationId);
  const { units, sequence, at } = update;
  if (units === undefined || sequence === undefined || (now !== undefined && now.sequence >= sequence)) return now;
  const made = { units, sequence, at };
  byPlace.set(locationId, made);
  world.sequence += 1;
  return made;
}
