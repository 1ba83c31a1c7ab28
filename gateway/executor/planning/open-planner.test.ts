import { parse } from 'graphql';
import { expect, it } from 'vitest';

import { openPlanner } from './open-planner.ts';
import { hasErrorCode } from '#gateway/http/request-error.ts';
import { composeInterfaceBomb } from '#test/support/hostile-supergraphs.ts';

it('refuses with LIMIT_COST what has more ways than the planner can list', async () => {
  const { plan } = await openPlanner(composeInterfaceBomb(), { withDocuments: true });
  expect(() => plan(parse('{ nodes { shared { shared { id } } } }'), undefined)).toThrow(
    expect.toSatisfy((error: unknown) => hasErrorCode(error, 'LIMIT_COST')),
  );
});
