import type { World, WorldOrder, WorldProfile, WorldStock } from './types.ts';

/** Something that has just changed; the world holds it already. */
export type WorldChange =
  | { readonly kind: 'stock'; readonly stock: WorldStock }
  | { readonly kind: 'order'; readonly order: WorldOrder; readonly isNew: boolean }
  | { readonly kind: 'profile'; readonly profile: WorldProfile; readonly isErased: boolean };

type Listener = (change: WorldChange) => void;

const listeners = new WeakMap<World, Set<Listener>>();

/** Calls the listener for every change of this world from now on. */
export function listenToWorld(world: World, listener: Listener): void {
  const known = listeners.get(world) ?? new Set();
  listeners.set(world, known.add(listener));
}

/** Tells whoever listens that something has changed. */
export function announce(world: World, change: WorldChange): void {
  for (const listener of listeners.get(world) ?? []) listener(change);
}
