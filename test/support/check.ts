// `npm run check`: every static promise of the project, no tests. Each step prints its own findings.
import { spawnSync } from 'node:child_process';

interface Step {
  readonly name: string;
  readonly command: string;
  readonly arguments: readonly string[];
}

const steps: readonly Step[] = [
  { name: 'types', command: 'tsc', arguments: ['--noEmit', '-p', '.'] },
  { name: 'types of the pages', command: 'tsc', arguments: ['--noEmit', '-p', 'gateway/web'] },
  {
    name: 'lint and allowed imports',
    command: 'oxlint',
    arguments: [
      '--type-aware',
      'schema',
      'platform',
      'domain',
      'connectors',
      'subgraphs',
      'gateway',
      'sandbox',
      'test',
    ],
  },
  { name: 'format', command: 'oxfmt', arguments: ['--check', '.'] },
  { name: 'dead code', command: 'knip', arguments: [] },
  { name: 'composition, governance and generated pages', command: 'node', arguments: ['gateway/main.ts', 'check'] },
];

const failed: string[] = [];
for (const step of steps) {
  const startedAt = Date.now();
  const { status, error } = spawnSync(step.command, step.arguments, { stdio: 'inherit' });
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  if (error !== undefined) process.stderr.write(`${step.name}: ${error.message}\n`);
  if (status !== 0) failed.push(step.name);
  process.stdout.write(`${status === 0 ? 'ok    ' : 'FAILED'} ${step.name} (${seconds} s)\n`);
}
if (failed.length > 0) {
  process.stderr.write(`check failed: ${failed.join(', ')}\n`);
  process.exitCode = 1;
}
