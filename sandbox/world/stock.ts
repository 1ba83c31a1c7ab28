import { createRandom } from './random.ts';
import type { Random } from './random.ts';
import type { WorldOrder, WorldOrderStage, WorldPlace, WorldProduct, WorldStock } from './types.ts';

/** Stages in which an order's units are promised but still on the shelf. */
export const COMMITTED_STAGES: ReadonlySet<WorldOrderStage> = new Set<WorldOrderStage>([
  'paid',
  'released',
  'picking',
  'packed',
  'readyForPickup',
]);
const MINUTE_MS = 60_000;

export const stockKey = (sku: string, place: string): string => `${sku}@${place}`;

/**
 * Stock per product and place that carries it, key `sku@place`. Committed units are those of the open orders there and
 * never more than what is on hand, but for three till counts below zero (a counting error the graph must not offer).
 */
export function buildStock(options: {
  readonly seed: number;
  readonly builtAt: string;
  readonly places: readonly WorldPlace[];
  readonly products: readonly WorldProduct[];
  readonly orders: readonly WorldOrder[];
}): Map<string, WorldStock> {
  const random = createRandom(options.seed, 'stock');
  const builtAtMs = Date.parse(options.builtAt);
  const committed = committedUnits(options.orders);
  const stock = new Map<string, WorldStock>();
  for (const product of options.products) {
    for (const place of options.places) {
      const key = stockKey(product.sku, place.code);
      const promised = committed.get(key) ?? 0;
      if (!canCarry(product, place) || (promised === 0 && !carries(random, place))) continue;
      stock.set(key, {
        sku: product.sku,
        place: place.code,
        onHand: promised + drawOnHand(random, product, place),
        committed: promised,
        incoming: random.chance(0.15) ? random.between(1, 12) * 6 : 0,
        changedAt: new Date(builtAtMs - random.between(5, 30 * 24 * 60) * MINUTE_MS).toISOString(),
      });
    }
  }
  miscount(stock, options.places);
  return stock;
}

function committedUnits(orders: readonly WorldOrder[]): ReadonlyMap<string, number> {
  const units = new Map<string, number>();
  for (const order of orders) {
    if (order.place === null || !COMMITTED_STAGES.has(order.stage)) continue;
    for (const line of order.lines) {
      const key = stockKey(line.sku, order.place);
      units.set(key, (units.get(key) ?? 0) + line.quantity);
    }
  }
  return units;
}

function canCarry(product: WorldProduct, place: WorldPlace): boolean {
  if (place.kind === 'STORE') return product.posVariationId !== null;
  return place.kind !== 'MARKETPLACE_WAREHOUSE' || product.sellerSku !== null;
}

function carries(random: Random, place: WorldPlace): boolean {
  if (place.kind === 'STORE') return random.chance(place.zone === 'RURAL' ? 0.45 : 0.65);
  if (place.kind === 'SUPPLIER') return random.chance(0.25);
  return random.chance(place.kind === 'WAREHOUSE' ? 0.85 : 0.6);
}

function drawOnHand(random: Random, product: WorldProduct, place: WorldPlace): number {
  if (random.chance(0.1)) return 0;
  const pieces = place.kind === 'STORE' ? random.between(1, 24) : random.between(4, 400);
  return product.baseUnit === 'PIECE' ? pieces : pieces * 250;
}

/** Three counts below zero, in three stores. */
function miscount(stock: Map<string, WorldStock>, places: readonly WorldPlace[]): void {
  const stores = places.filter((place) => place.kind === 'STORE').slice(1, 4);
  stores.forEach((store, index) => {
    const row = [...stock.values()].find((entry) => entry.place === store.code && entry.committed === 0);
    if (row !== undefined) row.onHand = -(index + 1);
  });
}
