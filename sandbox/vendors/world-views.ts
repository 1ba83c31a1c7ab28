// Views over the world that are too dear to build for each request. They are kept per world and rebuilt when it changed.
import type { World } from '#sandbox/world/types.ts';

interface Kept {
  readonly parts: readonly unknown[];
  readonly views: Map<string, unknown>;
}

const structures = new WeakMap<World, Kept>();
const moments = new WeakMap<World, Kept>();
const MAX_VIEWS = 64;

/**
 * A view of what exists (ids, references): kept until something is added or the world is rebuilt. It must hold
 * references to mutable rows, never copies of their values.
 */
export function structureOf<V>(world: World, name: string, build: (world: World) => V): V {
  return keep(structures, world, name, { parts: partsOf(world), build });
}

/** A view of values and their order: kept until the world's sequence moves. */
export function momentOf<V>(world: World, name: string, build: (world: World) => V): V {
  return keep(moments, world, name, { parts: [world.sequence, ...partsOf(world)], build });
}

/** Groups rows by a key, keeping their order. */
export function groupBy<V>(rows: Iterable<V>, keyOf: (row: V) => string): ReadonlyMap<string, readonly V[]> {
  const groups = new Map<string, V[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return groups;
}

function partsOf(world: World): readonly unknown[] {
  const { places, products, people, profiles, loyalty, stock, orders, consents } = world;
  const lists = [places, products, people, profiles, loyalty, orders, consents];
  return [...lists, ...lists.map((list) => list.length), stock, stock.size];
}

function keep<V>(
  cache: WeakMap<World, Kept>,
  world: World,
  name: string,
  view: { readonly parts: readonly unknown[]; readonly build: (world: World) => V },
): V {
  let kept = cache.get(world);
  if (kept === undefined || kept.parts.some((part, index) => part !== view.parts[index])) {
    kept = { parts: view.parts, views: new Map() };
    cache.set(world, kept);
  }
  if (kept.views.has(name)) return kept.views.get(name) as V;
  if (kept.views.size >= MAX_VIEWS) kept.views.clear();
  const value = view.build(world);
  kept.views.set(name, value);
  return value;
}
