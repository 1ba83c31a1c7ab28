import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { skipsInSplitMode } from '#test/support/e2e-mode.ts';
import { type GraphState, readGraphState } from '#test/support/lone-gateway.ts';
import { type Loyalty, RIGHT, serveLoyalty } from '#test/support/loyalty-subgraph.ts';
import { runMortar } from '#test/support/mortar-process.ts';
import { ANY_PORTS, startProduct } from '#test/support/product.ts';
import type { Product } from '#test/support/product-client.ts';

describe.skipIf(skipsInSplitMode('split.test.ts has it there'))(
  'a subgraph of others beside ours in one process',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'mortar-beside-'));
    let loyalty: Loyalty;
    let product: Product;
    beforeAll(async () => {
      loyalty = await serveLoyalty();
      product = await startProduct({ arguments: [`--supergraph=${loyalty.composedInto(folder)}`] });
    }, 60_000);
    afterAll(async () => {
      await product?.[Symbol.asyncDispose]();
      await loyalty?.[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    });

    const ready = async (): Promise<GraphState> => readGraphState(product.urls.base);

    it('answers one query over all, with consent as ever, and tells theirs nothing of people', async () => {
      const token = await product.token('marketer');
      expect(loyalty.judge(await product.ask(loyalty.query, { token, purpose: 'MARKETING' }))).toEqual(RIGHT);
    });

    it('asks theirs for nothing that needs a scope the caller lacks', async () => {
      const before = loyalty.bodies.length;
      const token = await product.token('storefront', { scope: 'inventory:read' });
      const answer = await product.ask('{ bonusProducts { points slogan } }', { token });
      expect(answer.data).toEqual({ bonusProducts: [{ points: 7, slogan: null }] });
      expect(answer.errors).toMatchObject([
        { path: ['bonusProducts', 0, 'slogan'], extensions: { code: 'SCOPE_REQUIRED' } },
      ]);
      // What is left of it is the name of a placeholder.
      expect(loyalty.bodies.slice(before).join('')).not.toMatch(/[{ ]slogan/);
    });

    it.each([
      ['a field of people that says nothing of itself', 'nickname: String', 'Customer.nickname is about a person'],
      [
        'a requirement of a personal field',
        'email: String @external greeting: String @publicData @requires(fields: "email") @requiresScopes(scopes: [["customers:read"]])',
        'Customer.email is personal and would be handed over',
      ],
    ])(
      'refuses %s while it serves on, until it is gone',
      async (_, extra, reason) => {
        const { id } = await ready();
        loyalty.composedInto(folder, extra);
        await expect.poll(async () => (await ready()).refused, { timeout: 20_000 }).not.toBeNull();
        await expect.poll(product.process.stderr).toContain(reason);
        const answer = await product.ask('{ bonusProducts { points } }', { token: await product.token('storefront') });
        expect(answer.data).toEqual({ bonusProducts: [{ points: 7 }] });
        loyalty.composedInto(folder);
        await expect.poll(ready, { timeout: 20_000 }).toMatchObject({ id, refused: null });
      },
      60_000,
    );

    it('refuses a graph that asks ours for what this version does not have, also at the start', async () => {
      const file = loyalty.composedInto(folder);
      const stale = readFileSync(file, 'utf8').replace(
        'brand: String',
        'oldName: String @join__field(graph: CATALOG)\n  brand: String',
      );
      writeFileSync(file, stale);
      const reason = 'catalog has no Product.oldName here; compose it again';
      await expect.poll(product.process.stderr, { timeout: 20_000 }).toContain(reason);
      const home = join(folder, 'home');
      const result = await runMortar({ arguments: ['serve', ...ANY_PORTS, `--home=${home}`, `--supergraph=${file}`] });
      expect([result.code, result.stderr]).toEqual([1, expect.stringContaining(reason)]);
    }, 60_000);
  },
);
