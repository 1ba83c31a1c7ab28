import { expect, it } from 'vitest';

import { toSku } from '#schema/model/ids.ts';
import { codeOf, connect, definition, scope } from '#test/support/kit-system.ts';
import { sendJson, startUpstream } from '#test/support/scripted-upstream.ts';

import type { Ports } from './definition.ts';

interface Page {
  readonly rows: readonly unknown[];
  readonly next?: string;
}

/** The stock of the test system, asked for place by place; `seen` gets the bodies as they are decoded. */
function byPlace(seen: Page[]): Ports<null> {
  const { stock, ...others } = definition.ports;
  if (stock === undefined) throw new Error('the test system has stock');
  return {
    ...others,
    stock: {
      ...stock,
      fanOut: () => ['W1', 'W2'].map((place) => ({ operation: 'readPlace', method: 'GET', path: `/stock/${place}` })),
      more: ({ next }: Page, previous) => (next === undefined ? null : { request: { ...previous, path: '/rest' } }),
      decode: (bodies: readonly Page[], keys, context) => {
        seen.push(...bodies);
        return stock.decode(bodies, keys, context);
      },
    },
  };
}

const key = { sku: toSku('A'), externalId: 'i1' };
const answers: Readonly<Record<string, Page>> = {
  '/stock': { rows: [1], next: 'x' },
  '/rest': { rows: [2] },
  '/stock/W1': { rows: [3] },
  '/stock/W2': { rows: [4] },
};

it('asks every part of a question, and gives the parts last and in their order', async () => {
  const seen: Page[] = [];
  await using upstream = await startUpstream(({ url }, response) => sendJson(response, answers[url]));
  await using system = connect(upstream.url, { definition: { ports: byPlace(seen) } });
  const [readings] = await system.stockRead([key], scope());
  expect(readings).toMatchObject([{ onHand: 4 }]);
  expect(seen.map(({ rows }) => rows)).toEqual([[1], [2], [3], [4]]);
});

it('fails the keys when one part fails: half a figure is none', async () => {
  await using upstream = await startUpstream(({ url }, response) =>
    sendJson(response, answers[url], url === '/stock/W2' ? 400 : 200),
  );
  await using system = connect(upstream.url, { definition: { ports: byPlace([]) } });
  expect(codeOf((await system.stockRead([key], scope()))[0])).toBe('UPSTREAM_CONTRACT');
});
