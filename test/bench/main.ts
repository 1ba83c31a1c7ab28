import { type Evidence, runEvidence } from '#test/support/evidence.ts';
import { latency } from './latency.ts';
import { memory } from './memory.ts';
import { startUp } from './start-up.ts';

const catalogue: readonly Evidence[] = [startUp, memory, latency];

process.exitCode = await runEvidence('bench', catalogue, process.argv.slice(2));
