import './production.ts';
import { type Catalogue, runEvidence } from '#test/support/evidence.ts';
import { executorInProcess } from './executor.ts';
import { feedIngest } from './feed-ingest.ts';
import { kitOverhead } from './kit.ts';
import { executorRemote } from './executor-remote.ts';
import { latency } from './latency.ts';
import { memory } from './memory.ts';
import { startUp } from './start-up.ts';

const groups: Catalogue = {
  product: [startUp, memory, latency],
  executor: [executorInProcess, executorRemote],
  connectors: [kitOverhead, feedIngest],
};

process.exitCode = await runEvidence('bench', groups, process.argv.slice(2));
