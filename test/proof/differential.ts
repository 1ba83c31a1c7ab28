import type { Evidence, Reporter } from '#test/support/evidence.ts';
import type { AcceptedDifference } from '#test/support/federation/compare.ts';
import { ACCEPTED } from '#test/support/federation/compare.ts';
import {
  type Differential,
  runDifferential,
  runDifferentialOverOurs,
  type Setting,
} from '#test/support/federation/differential.ts';

const RANDOM_SUPERGRAPHS = 24;
/** Seeds are this far apart, as a model that does not compose moves on to the next seed. */
const SEED_STEP = 1_000;

interface Share {
  readonly name: string;
  readonly run: () => Promise<Differential>;
}

/** `differential-in-process`: our executor and @apollo/gateway, side by side over the same subgraphs of this process. */
export const differentialInProcess = differential('in-process');

/** `differential-remote`: the same, with each subgraph behind our own HTTP door; ours signs, the oracle brings a token. */
export const differentialRemote = differential('remote');

function differential(setting: Setting): Evidence {
  return {
    name: `differential-${setting}`,
    summary: `random operations over our supergraph and over random supergraphs, subgraphs ${setting}: data deep-equal to @apollo/gateway, errors at the same paths or better`,
    run: (report) => runShares(setting, report),
  };
}

async function runShares(setting: Setting, report: Reporter): Promise<void> {
  const supergraphs = report.short ? 4 : RANDOM_SUPERGRAPHS;
  const each = report.short ? 40 : 130;
  const shares: Share[] = Array.from({ length: supergraphs }, (_, index) => ({
    name: `random supergraph ${index + 1}`,
    run: () => runDifferential(report.seed * 1_000_000 + index * SEED_STEP, each, setting),
  }));
  shares.push({
    name: 'our supergraph',
    run: () => runDifferentialOverOurs(report.seed, report.short ? 100 : 3_000, setting),
  });
  const accepted = new Map<AcceptedDifference, number>();
  const totals = { random: 0, ours: 0, withErrors: 0, unplanned: 0, wrong: 0, calls: 0, oracleCalls: 0 };
  for (const { name, run } of shares) {
    // oxlint-disable-next-line no-await-in-loop -- one at a time: each has both gateways in memory
    const done = await run();
    totals[name === 'our supergraph' ? 'ours' : 'random'] += done.operations;
    totals.withErrors += done.withErrors;
    totals.unplanned += done.unplanned;
    totals.wrong += done.wrong.length;
    totals.calls += done.calls.ours;
    totals.oracleCalls += done.calls.oracle;
    for (const [difference, count] of done.accepted) accepted.set(difference, (accepted.get(difference) ?? 0) + count);
    for (const found of done.wrong.slice(0, 3)) report.progress(`${name} ${JSON.stringify(found)}`);
    report.progress(`${name}: ${done.operations} operations, ${done.wrong.length} wrong`);
  }
  for (const [difference, count] of accepted) report.progress(`accepted ${count}: ${ACCEPTED[difference]}`);
  const shared = { name: `differential-${setting}`, n: totals.random + totals.ours, median: null, spread: null };
  const enough = report.short ? 1 : 3_000;
  report.row({
    ...shared,
    metric: 'wrong answers',
    value: totals.wrong,
    unit: 'operations',
    target: 0,
    ok: totals.wrong === 0,
  });
  report.row({
    ...shared,
    metric: 'over our supergraph',
    value: totals.ours,
    unit: 'operations',
    target: enough,
    ok: totals.ours >= enough,
  });
  report.row({
    ...shared,
    metric: 'over random supergraphs',
    value: totals.random,
    unit: 'operations',
    target: enough,
    ok: totals.random >= enough,
  });
  report.row({
    ...shared,
    metric: 'random supergraphs',
    value: supergraphs,
    unit: 'supergraphs',
    target: report.short ? 4 : 20,
    ok: true,
  });
  report.row({
    ...shared,
    metric: 'with errors',
    value: totals.withErrors,
    unit: 'operations',
    ok: totals.withErrors > 0,
  });
  report.row({ ...shared, metric: 'beyond the planner', value: totals.unplanned, unit: 'operations', ok: true });
  for (const [difference, count] of accepted)
    report.row({ ...shared, metric: `accepted ${difference}`, value: count, unit: 'operations', ok: true });
  report.row({
    ...shared,
    metric: 'subgraph calls',
    value: totals.calls,
    unit: 'calls',
    baseline: totals.oracleCalls,
    ratio: totals.calls / totals.oracleCalls,
    ok: true,
  });
}
