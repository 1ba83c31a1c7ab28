import { type JudgedPair, judgePair } from '#test/support/amazon/judge.ts';
import { loadAmazonPairs } from '#test/support/amazon/pairs.ts';
import { contractsAvailable } from '#test/support/contracts.ts';
import type { Evidence } from '#test/support/evidence.ts';

const KINDS: Readonly<Record<JudgedPair['kind'], string>> = {
  own: "pairs of the connector's operations decoded",
  model: 'pairs with the model of one of them decoded',
  outside: 'pairs of other operations',
};

export const amazonPairs: Evidence = {
  name: 'amazon-pairs',
  summary: 'every request and answer that Amazon embeds in its models is what the connector sends, and read as it says',
  sabotages: ['offer-refusal'],
  inProcess: true,
  run: async (report) => {
    if (!contractsAvailable()) {
      report.progress("Amazon's models are not beside the checkout (../shared/specs)");
      return;
    }
    const { pairs, dynamic } = await loadAmazonPairs();
    const judged = await Promise.all(pairs.map(async (pair) => judgePair(pair)));
    for (const { pair, findings } of judged)
      for (const finding of findings) report.progress(`${pair.operation} ${pair.status}: ${finding}`);
    const shared = { name: 'amazon-pairs', unit: 'pairs', median: null, spread: null };
    const byKind = Map.groupBy(judged, ({ kind }) => kind);
    for (const kind of ['own', 'model'] as const) {
      const all = byKind.get(kind) ?? [];
      const right = all.filter(({ findings }) => findings.length === 0).length;
      const ok = right === all.length && right > 0;
      report.row({ ...shared, metric: KINDS[kind], value: right, n: all.length, target: all.length, ok });
    }
    const outside = byKind.get('outside') ?? [];
    const counts = Map.groupBy(outside, ({ pair }) => `${pair.model}: ${pair.operation} ${pair.status}`);
    for (const [name, same] of counts) report.progress(`not asked for by the connector: ${name} (${same.length})`);
    report.progress(`without an embedded pair: ${dynamic.join(', ')}`);
    report.row({ ...shared, metric: KINDS.outside, value: outside.length, n: pairs.length, ok: true });
  },
};
