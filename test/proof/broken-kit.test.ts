import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { PROJECT } from '#test/support/mortar-process.ts';
import { BROKEN_RULES } from './broken-kit.ts';

it.each(BROKEN_RULES)('the rule that $item rests on in $connector is where the proof looks for it', ({ patches }) => {
  const counts = patches.map(({ module, rule }) => readFileSync(join(PROJECT, module), 'utf8').split(rule).length - 1);
  expect(counts).toEqual(patches.map(() => 1));
});
