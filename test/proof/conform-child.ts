// Runs the conformance suite in a process of its own, where rules may be missing; see conform.ts.
import { readFileSync } from 'node:fs';
import { startVitest } from 'vitest/node';
import { z } from 'zod';

import { PROJECT } from '#test/support/mortar-process.ts';
import { removedRules } from './sabotage/patch.ts';

const patch = z.object({ module: z.string(), rule: z.string(), without: z.string() });
const job = z.object({
  files: z.array(z.string()),
  /** Only cases whose full name fits; null: all. */
  only: z.string().nullable(),
  outputFile: z.string(),
  patches: z.array(patch).readonly(),
});
export type ConformJob = z.infer<typeof job>;

const { files, only, outputFile, patches } = job.parse(JSON.parse(process.argv[2] ?? ''));
// Vitest reads modules by itself: what a sabotage takes from this process must be taken from there too.
const missing = [...removedRules(), ...patches];

const vitest = await startVitest(
  'test',
  files,
  {
    root: PROJECT,
    watch: false,
    // Kept transforms are those of whole modules, and a broken one must not be kept for anybody.
    fsModuleCache: false,
    reporters: [['json', { outputFile }]],
    ...(only !== null && { testNamePattern: only }),
    env: { MORTAR_REQUIRE_SERVICES: '' },
  },
  {
    plugins: [
      {
        name: 'without-rules',
        enforce: 'pre',
        load: (id) => {
          const wanted = missing.filter(({ module }) => id === PROJECT + module);
          if (wanted.length === 0) return null;
          return wanted.reduce((code, { rule, without }) => withoutRule(code, rule, without), readFileSync(id, 'utf8'));
        },
      },
    ],
  },
);
await vitest.close();

function withoutRule(code: string, rule: string, without: string): string {
  if (code.split(rule).length !== 2) throw new Error(`the rule to remove is not there once: ${rule}`);
  return code.replace(rule, () => without);
}
