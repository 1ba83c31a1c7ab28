import { stockKey } from './stock.ts';
import type {
  SandboxSystem,
  World,
  WorldLoyalty,
  WorldOrder,
  WorldPlace,
  WorldProduct,
  WorldProfile,
  WorldStock,
} from './types.ts';

/** Look-ups over one world. Maps are made on first use and hold the world's own rows. */
export interface WorldIndex {
  readonly productBySku: ReadonlyMap<string, WorldProduct>;
  readonly productByErpId: ReadonlyMap<string, WorldProduct>;
  readonly productByPosVariation: ReadonlyMap<string, WorldProduct>;
  readonly productBySellerSku: ReadonlyMap<string, WorldProduct>;
  readonly placeByCode: ReadonlyMap<string, WorldPlace>;
  /** Key `system:id`. */
  readonly placeBySystemId: ReadonlyMap<string, WorldPlace>;
  /** Key `system:externalId`. */
  readonly profileBySystemId: ReadonlyMap<string, WorldProfile>;
  readonly loyaltyByPosCustomer: ReadonlyMap<string, WorldLoyalty>;
  /** Key `system:id`; each system that carries a facet of the order names it. */
  readonly orderBySystemId: ReadonlyMap<string, WorldOrder>;
  /** Stock rows of one product, in the order of the places. */
  readonly stockOf: (sku: string) => readonly WorldStock[];
}

const indexes = new WeakMap<World, { readonly counts: string; readonly index: WorldIndex }>();

export const systemKey = (system: SandboxSystem, id: string): string => `${system}:${id}`;

/** The look-ups of a world: cached, made anew when orders came or profiles went. */
export function indexOf(world: World): WorldIndex {
  const counts = `${world.orders.length} ${world.profiles.length}`;
  const kept = indexes.get(world);
  if (kept?.counts === counts) return kept.index;
  const index = createIndex(world);
  indexes.set(world, { counts, index });
  return index;
}

function createIndex(world: World): WorldIndex {
  const lazy = {
    productBySku: once(() => mapBy(world.products, (row) => [row.sku])),
    productByErpId: once(() => mapBy(world.products, (row) => [row.erpId])),
    productByPosVariation: once(() => mapBy(world.products, (row) => [row.posVariationId])),
    productBySellerSku: once(() => mapBy(world.products, (row) => [row.sellerSku])),
    placeByCode: once(() => mapBy(world.places, (row) => [row.code])),
    placeBySystemId: once(() => mapBy(world.places, (row) => keysOf(row.ids))),
    profileBySystemId: once(() => mapBy(world.profiles, (row) => [systemKey(row.system, row.externalId)])),
    loyaltyByPosCustomer: once(() => mapBy(world.loyalty, (row) => [row.posCustomerId])),
    orderBySystemId: once(() => mapBy(world.orders, (row) => keysOf(row.ids))),
  };
  return {
    get productBySku() {
      return lazy.productBySku();
    },
    get productByErpId() {
      return lazy.productByErpId();
    },
    get productByPosVariation() {
      return lazy.productByPosVariation();
    },
    get productBySellerSku() {
      return lazy.productBySellerSku();
    },
    get placeByCode() {
      return lazy.placeByCode();
    },
    get placeBySystemId() {
      return lazy.placeBySystemId();
    },
    get profileBySystemId() {
      return lazy.profileBySystemId();
    },
    get loyaltyByPosCustomer() {
      return lazy.loyaltyByPosCustomer();
    },
    get orderBySystemId() {
      return lazy.orderBySystemId();
    },
    // Straight from the map: the control port may add rows.
    stockOf: (sku) => world.places.flatMap((place) => world.stock.get(stockKey(sku, place.code)) ?? []),
  };
}

function keysOf(ids: Partial<Record<SandboxSystem, string>>): readonly string[] {
  return Object.entries(ids).map(([system, id]) => `${system}:${id}`);
}

function mapBy<V>(rows: readonly V[], keysOfRow: (row: V) => readonly (string | null)[]): ReadonlyMap<string, V> {
  const map = new Map<string, V>();
  for (const row of rows) {
    for (const key of keysOfRow(row)) if (key !== null) map.set(key, row);
  }
  return map;
}

function once<V>(make: () => V): () => V {
  let kept: { readonly value: V } | null = null;
  return () => (kept ??= { value: make() }).value;
}
