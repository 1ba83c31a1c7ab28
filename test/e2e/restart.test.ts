import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { skipsInSplitMode } from '#test/support/e2e-mode.ts';
import { customersOf, loners, profileKey } from '#test/support/customers.ts';
import { startProduct } from '#test/support/product.ts';

const WITHDRAW = `mutation($input: WithdrawConsentInput!) { withdrawConsent(input: $input) { __typename ... on ConsentRecorded { receipt } } }`;

const isInParts = skipsInSplitMode('SQLite over a restart of one process');

it.skipIf(isInParts).each(['SIGTERM', 'SIGKILL'] as const)(
  'keeps ids and decisions over a restart after %s, and answers a repeated mutation as before',
  async (signal) => {
    const home = mkdtempSync(join(tmpdir(), 'mortar-e2e-'));
    try {
      const read = async (product: Awaited<ReturnType<typeof startProduct>>) => {
        const profiles = loners(await product.world(), 'crm').slice(0, 40);
        const ids = await customersOf(product, profiles);
        return profiles.map((profile) => ids.get(profileKey(profile)) ?? null);
      };
      const withdraw = async (product: Awaited<ReturnType<typeof startProduct>>, customer: string) => {
        const token = await product.token('customer-app', { customer });
        const input = { customer, purpose: 'MARKETING', idempotencyKey: 'over-a-restart' };
        return (await product.ask(WITHDRAW, { token, variables: { input } })).data.withdrawConsent;
      };
      let before: readonly (string | null)[];
      let receipt: unknown;
      {
        await using product = await startProduct({ home });
        before = await read(product);
        receipt = await withdraw(product, before[0] ?? '');
        await product.stop(signal);
      }
      await using product = await startProduct({ home });
      expect(await read(product)).toEqual(before);
      expect(receipt).toMatchObject({ __typename: 'ConsentRecorded' });
      expect(await withdraw(product, before[0] ?? '')).toEqual(receipt);
      const token = await product.token('privacy-officer');
      const answer = await product.ask(
        'query($id: ID!) { customer(id: $id) { consents { purpose { id } medium state } } }',
        { token, variables: { id: before[0] } },
      );
      expect(answer.data.customer.consents).toContainEqual({
        purpose: { id: 'MARKETING' },
        medium: null,
        state: 'WITHDRAWN',
      });
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  },
  90_000,
);
