import { type Evidence, runEvidence } from '#test/support/evidence.ts';
import { batching } from './batching.ts';
import { degraded } from './degraded.ts';
import { kill9 } from './kill-9.ts';
import { leakBasic } from './leak-basic.ts';
import { tour } from './tour.ts';

const catalogue: readonly Evidence[] = [tour, kill9, leakBasic, batching, degraded];

process.exitCode = await runEvidence('proof main-job', catalogue, process.argv.slice(2));
