import { type Evidence, runEvidence } from '#test/support/evidence.ts';
import { leakBasic } from './leak-basic.ts';

const catalogue: readonly Evidence[] = [leakBasic];

process.exitCode = await runEvidence('proof main-job', catalogue, process.argv.slice(2));
