import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { SUBGRAPH_NAMES } from '#gateway/config-schema.ts';
import { createContextPair } from '#test/support/context-keys.ts';
import { type SplitProduct, startSplitProduct } from '#test/support/split-product.ts';
import { canSplit } from '#test/support/split-services.ts';

/** Together they reach all five subgraphs. */
const QUERIES = {
  storefront: '{ products(first: 1) { nodes { sku availability(channel: "web") { reason } } } }',
  'privacy-officer': '{ customers(first: 1) { nodes { id consents { state } orders(first: 1) { nodes { id } } } } }',
} as const;
const READ_AGAIN = 'context keys were read again';
const LEAST_REQUESTS = 200;

describe.skipIf(!canSplit)('the keys of the request context', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mortar-keys-'));
  const [privateFile, publicFile] = [join(folder, 'private.pem'), join(folder, 'public.pem')];
  const [old, next] = [createContextPair(), createContextPair()];
  let product: SplitProduct;
  beforeAll(async () => {
    writeFileSync(privateFile, old.privatePem);
    writeFileSync(publicFile, old.publicPem);
    product = await startSplitProduct({
      environment: {
        LOG_LEVEL: 'info',
        MORTAR_KEY_CONTEXT: undefined,
        MORTAR_KEY_CONTEXT_PUBLIC: undefined,
        MORTAR_KEY_CONTEXT_FILE: privateFile,
        MORTAR_KEY_CONTEXT_PUBLIC_FILE: publicFile,
      },
    });
  }, 120_000);
  afterAll(async () => {
    await product?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  it('are rotated under load without a lost request', async () => {
    const failed: unknown[] = [];
    const load = { requests: 0, isOver: false };
    const client = async ([name, query]: [string, string]): Promise<void> => {
      const token = await product.token(name);
      while (!load.isOver) {
        const { status, errors, text } = await product.ask(query, { token });
        load.requests += 1;
        if (status !== 200 || errors.length > 0) failed.push(text);
      }
    };
    const clients = Promise.all([...Object.entries(QUERIES), ...Object.entries(QUERIES)].map(client));
    const subgraphs = SUBGRAPH_NAMES.map((name) => product.subgraphs[name].run);
    const readAgain = async (runs: readonly { readonly stderr: () => string }[], times: number): Promise<void> => {
      const counts = () => runs.map((run) => run.stderr().split(READ_AGAIN).length - 1);
      await expect.poll(counts, { timeout: 60_000 }).toEqual(runs.map(() => times));
    };
    try {
      writeFileSync(publicFile, `${old.publicPem}${next.publicPem}`);
      await readAgain(subgraphs, 1);
      writeFileSync(privateFile, next.privatePem);
      await readAgain([product.gateway.run], 1);
      writeFileSync(publicFile, next.publicPem);
      await readAgain(subgraphs, 2);
      const before = load.requests;
      await expect
        .poll(() => load.requests, { timeout: 60_000 })
        .toBeGreaterThan(Math.max(before + 20, LEAST_REQUESTS));
    } finally {
      load.isOver = true;
      await clients;
    }
    process.stderr.write(`key rotation: ${load.requests} requests, ${failed.length} failed\n`);
    expect(failed).toEqual([]);
  }, 120_000);
});
