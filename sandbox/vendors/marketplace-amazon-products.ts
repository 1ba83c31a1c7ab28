import type { World, WorldProduct, WorldStock } from '#sandbox/world/types.ts';
import { structureOf } from './world-views.ts';

/** A product listed on the marketplace. */
export type ListedProduct = WorldProduct & { readonly sellerSku: string };

/** Listed products by seller sku. */
export function listedProducts(world: World): ReadonlyMap<string, ListedProduct> {
  return structureOf(world, 'amazon.listed', () => {
    const listed = world.products.filter((product): product is ListedProduct => product.sellerSku !== null);
    return new Map(listed.map((product) => [product.sellerSku, product]));
  });
}

/** Site codes of Amazon's own warehouses. */
export function amazonPlaces(world: World): ReadonlySet<string> {
  return structureOf(world, 'amazon.places', () => {
    const own = world.places.filter(({ kind }) => kind === 'MARKETPLACE_WAREHOUSE');
    return new Set(own.map(({ code }) => code));
  });
}

/** The product's stock in Amazon's warehouse; undefined: none is kept there. */
export function amazonStock(world: World, product: ListedProduct): WorldStock | undefined {
  for (const place of amazonPlaces(world)) {
    const stock = world.stock.get(`${product.sku}@${place}`);
    if (stock !== undefined) return stock;
  }
  return undefined;
}

/** Amazon's own id of a product; a made-up one where the world has none. */
export const asinOf = (product: WorldProduct) => product.asin ?? 'B000000000';
