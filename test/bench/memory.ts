import { type Evidence, summarize } from '#test/support/evidence.ts';
import { startProduct } from '#test/support/product.ts';
import { runReadmeTour } from '#test/support/readme-tour.ts';

const MEGABYTE = 1_000_000;
const LIMIT_MB = 400;

/** Resident memory of the gateway process alone; the sandbox is another process. */
export const memory: Evidence = {
  name: 'memory',
  summary: 'the gateway process holds less than 400 MB after the tour',
  run: async (report) => {
    const rounds = report.short ? 1 : 3;
    const ready: number[] = [];
    const toured: number[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      await using product = await startProduct({ seed: report.seed });
      ready.push(product.rssBytes() / MEGABYTE);
      const { code } = await runReadmeTour(product);
      if (code !== 0) throw new Error('the tour did not run to its end');
      toured.push(product.rssBytes() / MEGABYTE);
      report.progress(
        `${round} of ${rounds}: ${ready.at(-1)?.toFixed(0)} MB when ready, ${toured.at(-1)?.toFixed(0)} MB after the tour`,
      );
    }
    const row = (metric: string, sample: readonly number[]): void => {
      const { median, spread } = summarize(sample);
      report.row({
        name: 'memory',
        metric,
        value: median,
        unit: 'MB',
        n: rounds,
        median,
        spread,
        target: LIMIT_MB,
        ok: median < LIMIT_MB,
      });
    };
    row('resident when ready', ready);
    row('resident after the tour', toured);
  },
};
