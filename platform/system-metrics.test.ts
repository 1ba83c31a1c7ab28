import { expect, it } from 'vitest';

import { createMetrics } from './metrics.ts';
import type { SystemFacts } from './system-metrics.ts';

const POS: SystemFacts = {
  id: 'pos',
  state: 'DEGRADED',
  feeds: [
    { name: 'orders', lagSeconds: 12, leftOutRows: 1 },
    { name: 'items', lagSeconds: null, leftOutRows: 0 },
  ],
  breakers: { read: 'CLOSED', feed: 'OPEN' },
  budgets: [{ name: 'app', limit: 10, left: 4 }],
  unmatchedItems: 3,
  wrongCurrencyItems: 4,
  quarantinedRows: 2,
};

it('shows lag, budget, breakers, unmatched and quarantined rows of every system', async () => {
  const { text } = await createMetrics({ systems: async () => [POS] }).render();
  for (const line of [
    'mortar_system_state{system="pos"} 0.5',
    'mortar_feed_lag_seconds{system="pos",feed="orders"} 12',
    'mortar_feed_left_out_rows{system="pos",feed="orders"} 1',
    'mortar_breaker_state{system="pos",class="feed"} 2',
    'mortar_budget_limit{system="pos",rate="app"} 10',
    'mortar_budget_left{system="pos",rate="app"} 4',
    'mortar_unmatched_items{system="pos"} 3',
    'mortar_quarantined_rows{system="pos"} 2',
  ]) {
    expect(text).toContain(`${line}\n`);
  }
  expect(text).not.toContain('feed="items"} NaN');
  expect(text).not.toContain('mortar_feed_lag_seconds{system="pos",feed="items"}');
});

it('shows no old figures while the systems’ state cannot be read, and everything else', async () => {
  let fails = false;
  const seen: unknown[] = [];
  const systems = async () => {
    if (fails) throw new Error('the database is away');
    return [POS];
  };
  const metrics = createMetrics({ systems, onUnreadable: (error) => seen.push(error) });
  await metrics.render();
  fails = true;
  const { text } = await metrics.render();
  expect(text).not.toContain('system="pos"');
  expect(text).toContain('process_resident_memory_bytes');
  expect(seen).toHaveLength(1);
});
