import { type Evidence, summarize } from '#test/support/evidence.ts';
import { startProduct } from '#test/support/product.ts';

const READY_WITHIN_MS = 3_000;

/** From the start command to the first 200 of /readyz: sandbox, database, past consents and first load included. */
export const startUp: Evidence = {
  name: 'start-up',
  summary: 'a fresh start at small scale is ready within 3 s, sandbox included',
  run: async (report) => {
    const rounds = report.short ? 3 : 7;
    // The first start after an installation also compiles the modules; what is kept is what every later one finds.
    await using warm = await startProduct({ seed: report.seed });
    await warm.stop();
    const times: number[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      await using product = await startProduct({ seed: report.seed });
      times.push(product.readyMs);
      report.progress(`${round} of ${rounds}: ready after ${product.readyMs.toFixed(0)} ms`);
    }
    const { median, spread, p95 } = summarize(times);
    const shared = { name: 'start-up', unit: 'ms', n: rounds, median, spread, target: READY_WITHIN_MS };
    report.row({ ...shared, metric: 'ready', value: median, ok: median <= READY_WITHIN_MS });
    report.row({ ...shared, metric: 'ready, slowest', value: p95, ok: p95 <= READY_WITHIN_MS });
  },
};
