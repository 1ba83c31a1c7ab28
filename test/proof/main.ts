import { spawnSync } from 'node:child_process';

import { type Catalogue, runEvidence } from '#test/support/evidence.ts';
import { batching } from './batching.ts';
import { connectorRows } from './connector-rows.ts';
import { degraded } from './degraded.ts';
import { executorRows } from './executor-rows.ts';
import { kill9 } from './kill-9.ts';
import { leakBasic } from './leak-basic.ts';
import { sabotageArguments } from './sabotage.ts';
import { tour } from './tour.ts';

const groups: Catalogue = {
  'main-job': [tour, kill9, leakBasic, batching, degraded],
  executor: executorRows,
  connectors: connectorRows,
};

const words = process.argv.slice(2);
const rule = words[words.indexOf('--sabotage') + 1] ?? '';
const mustRestart = Object.values(groups)
  .flat()
  .some(({ inProcess, sabotages }) => inProcess === true && sabotages?.includes(rule) === true);
const [removal, file = ''] = sabotageArguments(rule);
if (mustRestart && removal !== undefined && !process.execArgv.includes(file)) {
  // What these proofs run is imported already: without the rule only in a process that never had it.
  const { status } = spawnSync(process.execPath, [removal, file, ...process.argv.slice(1)], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
} else {
  process.exitCode = await runEvidence('proof', groups, words);
}
