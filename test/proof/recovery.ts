import { setTimeout as sleep } from 'node:timers/promises';

import { type Evidence, type Reporter, summarize } from '#test/support/evidence.ts';
import { type FlakyProxy, startFlakyProxy } from '#test/support/flaky-proxy.ts';
import { deployProduct } from '#test/support/own-issuer.ts';
import type { Product } from '#test/support/product-client.ts';
import { createFigureJudge, type FigureJudge } from './figure-judge.ts';
import { sabotageArguments } from './sabotage.ts';

const QUERY = `query Level($sku: Sku!, $place: ID!) { product(sku: $sku) { stock(locations: [$place]) { nodes {
  onHand { value provenance { stale degraded } } } } } }`;
const EVERY_MS = 10;
const MOST_ERROR_SHARE = 0.001;
const FRESH_WITHIN_MS = 5_000;
/** Stock changes while nobody can ask for it. */
const CHANGES = 3;

export const recovery: Evidence = {
  name: 'recovery',
  summary: 'stock systems killed and frozen under 100 requests a second: no errors, nothing old unflagged, soon fresh',
  sabotages: ['last-seen-flag'],
  run: async (report) => {
    const systems = report.short || report.sabotage !== null ? ['pos'] : ['pos', 'wms'];
    for (const system of systems) await proveSystem(system, report);
  },
};

async function proveSystem(system: string, report: Reporter): Promise<void> {
  await using proxy = await startFlakyProxy();
  await using deployed = await deployProduct({
    seed: report.seed,
    nodeArguments: sabotageArguments(report.sabotage),
    configure: (text) =>
      text.replace(
        new RegExp(`(- id: ${system}\\n(?:    .*\\n)*?    url: )(\\S+)`),
        (_, before: string, url: string) => {
          proxy.forwardTo(new URL(url));
          return `${before}http://127.0.0.1:${proxy.port}`;
        },
      ),
  });
  const token = await deployed.issuer.issue({
    sub: 'service',
    client_id: 'service',
    role: 'service-job',
    scope: 'catalog:read inventory:read',
    purposes: ['LEGAL_OBLIGATION'],
    exp: Math.floor(Date.now() / 1000) + 900,
  });
  const failures = report.sabotage === null ? (['killed', 'frozen'] as const) : (['killed'] as const);
  for (const failure of failures)
    await proveFailure({ system, failure, proxy, product: deployed.product, token }, report);
}

interface Failing {
  readonly system: string;
  readonly failure: 'killed' | 'frozen';
  readonly proxy: FlakyProxy;
  readonly product: Product;
  readonly token: string;
}

async function proveFailure({ system, failure, proxy, product, token }: Failing, report: Reporter): Promise<void> {
  const awayMs = report.short ? 3_000 : 8_000;
  const row = (await product.world()).stock.find(
    ({ authority, onHand }) => authority?.system === system && onHand > 5 && onHand < 1_000,
  );
  if (row?.authority === null || row === undefined) throw new Error(`no stock of ${system}`);
  const variables = { sku: row.sku, place: row.authority.locationId };
  const judge = createFigureJudge(row.onHand);
  const change = async (onHand: number): Promise<void> =>
    judge.change(onHand, async () => product.event({ kind: 'adjustment', sku: row.sku, place: row.place, onHand }));
  const load = startLoad(async () => product.ask(QUERY, { token, purpose: 'LEGAL_OBLIGATION', variables }), judge);
  try {
    await sleep(1_500);
    await (failure === 'killed' ? proxy.kill() : proxy.freeze());
    for (let index = 1; index <= CHANGES; index += 1) {
      await sleep(awayMs / CHANGES);
      await change(row.onHand + index);
    }
    judge.restored();
    await proxy.restore();
    await sleep(FRESH_WITHIN_MS);
  } finally {
    await load.stop();
    await proxy.restore();
  }
  tell({ name: `${system} ${failure}`, judge, elapsedMs: load.elapsedMs }, report);
}

interface Load {
  readonly elapsedMs: readonly number[];
  readonly stop: () => Promise<void>;
}

/** Asks every ten milliseconds, however long answers take. */
function startLoad(ask: () => ReturnType<Product['ask']>, judge: FigureJudge): Load {
  const elapsedMs: number[] = [];
  const running = new Set<Promise<void>>();
  const once = async (): Promise<void> => {
    const startedAtMs = performance.now();
    try {
      const answer = await ask();
      elapsedMs.push(answer.elapsedMs);
      const figure = answer.data?.product?.stock?.nodes?.[0]?.onHand ?? null;
      const isError = answer.status !== 200 || answer.errors.length > 0 || figure === null;
      if (isError) judge.failed(startedAtMs, answer.text);
      else judge.answered(startedAtMs, figure);
    } catch (error) {
      judge.failed(startedAtMs, String(error));
    }
  };
  const timer = setInterval(() => {
    const asking = once().finally(() => running.delete(asking));
    running.add(asking);
  }, EVERY_MS);
  return {
    elapsedMs,
    stop: async () => {
      clearInterval(timer);
      await Promise.all(running);
    },
  };
}

interface Told {
  readonly name: string;
  readonly judge: FigureJudge;
  readonly elapsedMs: readonly number[];
}

function tell({ name, judge, elapsedMs }: Told, report: Reporter): void {
  const { reads, errors, firstError, unflagged, flagged, freshAfterMs } = judge.verdict();
  const { p95 } = summarize(elapsedMs);
  report.progress(
    `${name}: ${reads} reads, ${errors} errors, ${flagged} flagged, ${unflagged} old without a flag, fresh after ${freshAfterMs?.toFixed(0) ?? '-'} ms, p95 ${p95.toFixed(0)} ms${firstError === null ? '' : `; ${firstError.slice(0, 300)}`}`,
  );
  const shared = { name: 'recovery', n: reads, median: null, spread: null };
  report.row({
    ...shared,
    metric: `${name}: read errors`,
    value: errors / reads,
    unit: 'of the reads',
    target: MOST_ERROR_SHARE,
    ok: errors / reads < MOST_ERROR_SHARE,
  });
  report.row({
    ...shared,
    metric: `${name}: old values without a flag`,
    value: unflagged,
    unit: 'values',
    target: 0,
    // Nothing flagged: then the system was never away.
    ok: unflagged === 0 && flagged > 0,
  });
  report.row({
    ...shared,
    metric: `${name}: fresh again after`,
    value: freshAfterMs ?? Number.POSITIVE_INFINITY,
    unit: 'ms',
    target: FRESH_WITHIN_MS,
    ok: freshAfterMs !== null && freshAfterMs <= FRESH_WITHIN_MS,
  });
}
