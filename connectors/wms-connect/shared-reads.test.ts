import { expect, test } from 'vitest';

import { connectSystem } from '#connectors/kit/connect-system.ts';
import { systemClock } from '#platform/clock.ts';
import { silentLogger } from '#platform/log.ts';
import { toSku } from '#schema/model/ids.ts';
import type { CallScope } from '#schema/model/request.ts';

import { wmsConnect } from './connector.ts';

const keysOf = (...ids: readonly string[]) => ids.map((id) => ({ sku: toSku(id), externalId: id }));

test('readers of the same skus share one call although each would carry its own transaction id', async () => {
  const asked: string[][] = [];
  const wms = connectSystem(wmsConnect, {
    config: { id: 'wms', connector: 'wms-connect', url: 'http://wms.test', credentials: { apiKey: 'k' }, options: {} },
    clock: systemClock,
    logger: silentLogger,
    trace: () => undefined,
    fetch: async (_url, init) => {
      asked.push(JSON.parse(init?.body as string).criteria.skus);
      return Response.json({ items: [] });
    },
  });
  const scope: CallScope = {
    requestId: 'request-1',
    deadlineAtMs: Date.now() + 5_000,
    signal: new AbortController().signal,
    shareKey: 'service-job ORDER_FULFILLMENT',
  };
  const read = async (...ids: readonly string[]) => wms.stock?.stockByItem(keysOf(...ids), scope);
  await Promise.all([read('MUG-1'), read('MUG-1'), read('MUG-2')]);
  expect(asked.map(([sku]) => sku).toSorted((a = '', b = '') => a.localeCompare(b))).toEqual(['MUG-1', 'MUG-2']);
  await wms.close();
});
