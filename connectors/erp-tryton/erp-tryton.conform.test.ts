import { afterAll, describe } from 'vitest';

import { conformConnector } from '#test/support/conform-connector.ts';
import { trytonFixtures } from '#test/support/tryton/conform.ts';
import { TRYTON_WITHIN_MS, type Tryton, startTryton, trytonOrSkip } from '#test/support/tryton/trytond.ts';

import { erpTryton } from './connector.ts';

// The suite of every connector, over a real system instead of a fake: what is not a fault of the suite's own is answered by
// Tryton itself.
const isThere = await trytonOrSkip();

describe.skipIf(!isThere)('over a real Tryton', { timeout: TRYTON_WITHIN_MS }, () => {
  let tryton: Tryton | null = null;
  afterAll(async () => {
    await tryton?.[Symbol.asyncDispose]();
  });

  conformConnector(erpTryton, async () => {
    tryton = await startTryton();
    return trytonFixtures(tryton);
  });
});
