import { connectSystem } from '#connectors/kit/connect-system.ts';
import { erpTryton } from '#connectors/erp-tryton/connector.ts';
import { systemClock } from '#platform/clock.ts';
import { silentLogger } from '#platform/log.ts';
import type { WorldStock } from '#sandbox/world/types.ts';
import { within } from '#test/support/conform-harness.ts';
import type { Evidence, Reporter } from '#test/support/evidence.ts';
import type { Product } from '#test/support/product-client.ts';
import { forecastOf, loseUnits } from '#test/support/tryton/clerk.ts';
import { judgeMainJob, levelsOf } from '#test/support/tryton/judge.ts';
import { startTrytonProduct, startTrytonRetailer } from '#test/support/tryton/main-job.ts';
import { type Tryton, trytonOrSkip } from '#test/support/tryton/trytond.ts';

const UNITS = 3;
const FOLLOWED_WITHIN_MS = 60_000;

export const tryton: Evidence = {
  name: 'tryton',
  summary: 'the main job over a real ERP and warehouse: Tryton instead of two sandboxes',
  run: async (report) => {
    if (!(await trytonOrSkip())) {
      report.progress('Tryton is not installed (as root: test/support/tryton/install.sh)');
      return;
    }
    await using retailer = await startTrytonRetailer();
    await using product = await startTrytonProduct(retailer);
    report.progress('Tryton, the sandbox and the product run');
    for (const { question, asked, wrong } of await judgeMainJob(product, retailer.tryton)) {
      for (const complaint of wrong.slice(0, 3)) report.progress(complaint);
      count(report, `right: ${question}`, asked - wrong.length, asked);
    }
    const rows = someRows(retailer.tryton, report.short ? 5 : 20);
    count(
      report,
      'moves planned by the graph and forecast by Tryton',
      await planned(retailer.tryton, rows),
      rows.length,
    );
    const others = rows.map(({ sku }) => sku);
    const moved = someRows(retailer.tryton, rows.length, new Set(others));
    count(report, 'moves done in Tryton and followed', await followed(product, retailer.tryton, moved), moved.length);
  },
};

function count(report: Reporter, metric: string, value: number, target: number): void {
  const ok = value === target && target > 0;
  report.row({ name: 'tryton', metric, value, unit: 'of all', n: target, median: null, spread: null, target, ok });
}

/** Well-stocked shelves of the first warehouse. */
function someRows({ world }: Tryton, most: number, without: ReadonlySet<string> = new Set()): readonly WorldStock[] {
  return [...world.stock.values()]
    .filter(({ sku, place, onHand, committed }) => place === 'W1' && onHand - committed > UNITS && !without.has(sku))
    .slice(0, most);
}

/** How many moves written through the connector Tryton's own forecast shows. */
async function planned(system: Tryton, rows: readonly WorldStock[]): Promise<number> {
  const { url, credentials, options, ids } = system;
  const erp = connectSystem(erpTryton, {
    config: { id: 'erp', connector: 'erp-tryton', url, credentials, options: { ...options } },
    clock: systemClock,
    logger: silentLogger,
    trace: () => {},
  });
  let right = 0;
  try {
    const items =
      (await erp.items?.itemsByCode(
        rows.map(({ sku }) => sku),
        within(60_000),
      )) ?? [];
    for (const [index, { sku, place }] of rows.entries()) {
      const item = items[index];
      if (item === undefined || item === null || item instanceof Error) continue;
      const before = await forecastOf(system, { sku, place });
      const locationExternalId = String(ids.warehouses[place]);
      const at = new Date().toISOString();
      const { externalId } = item;
      const move = { key: `proof-${sku}`, externalId, locationExternalId, kind: 'LOST', units: UNITS, at } as const;
      await erp.stockMoveSink?.writeMoves([move], within(60_000));
      if ((await forecastOf(system, { sku, place })) === before - UNITS) right += 1;
    }
  } finally {
    await erp.close();
  }
  return right;
}

/** How many figures of the graph become what somebody made of them in Tryton. */
async function followed(product: Product, system: Tryton, rows: readonly WorldStock[]): Promise<number> {
  for (const { sku, place } of rows) await loseUnits(system, { sku, place, units: UNITS });
  const name = system.world.places.find(({ code }) => code === rows[0]?.place)?.name ?? '';
  const until = Date.now() + FOLLOWED_WITHIN_MS;
  for (;;) {
    const levels = await levelsOf(
      product,
      rows.map(({ sku }) => sku),
    );
    const right = rows.filter(({ sku, onHand }) => levels.get(sku)?.get(name)?.onHand?.value === onHand - UNITS).length;
    if (right === rows.length || Date.now() > until) return right;
  }
}
