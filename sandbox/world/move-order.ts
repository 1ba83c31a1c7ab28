import { announce } from './announcements.ts';
import { COMMITTED_STAGES, stockKey } from './stock.ts';
import type { World, WorldOrder, WorldOrderStage } from './types.ts';

/** Takes an order to a stage; its units are promised or let go accordingly. The caller moves the sequence on. */
export function moveOrder(
  world: World,
  order: WorldOrder,
  { stage, at }: { readonly stage: WorldOrderStage; readonly at: string },
): WorldOrder {
  const [before, after] = [COMMITTED_STAGES.has(order.stage), COMMITTED_STAGES.has(stage)];
  if (before !== after) commitUnits(world, order, { sign: after ? 1 : -1, at });
  return Object.assign(order, { stage, updatedAt: at });
}

/** Promises the order's units at its place, or lets them go. */
export function commitUnits(
  world: World,
  order: WorldOrder,
  { sign, at }: { readonly sign: 1 | -1; readonly at: string },
): void {
  for (const { sku, quantity } of order.lines) {
    const row = order.place === null ? undefined : world.stock.get(stockKey(sku, order.place));
    if (row === undefined) continue;
    const committed = Math.max(0, row.committed + sign * quantity);
    announce(world, { kind: 'stock', stock: Object.assign(row, { committed, changedAt: at }) });
  }
}
