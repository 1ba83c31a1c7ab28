import { expect, test } from 'vitest';
import { applyEvent } from '#sandbox/control-events.ts';
import { tinyWorld } from '#test/support/tiny-world.ts';
import { listenToWorld } from './announcements.ts';

test('whoever listens to a world hears of each change after it happened, and of no other world', () => {
  const [world, other] = [tinyWorld(), tinyWorld()];
  const heard: unknown[] = [];
  listenToWorld(world, (change) => heard.push(change));
  listenToWorld(other, () => heard.push('of another world'));
  applyEvent(world, { kind: 'sale', sku: 'A1', place: 'S01', quantity: 1 }, Date.parse('2026-03-05T12:00:00.000Z'));
  expect(heard).toEqual([{ kind: 'stock', stock: world.stock.get('A1@S01') }]);
});
