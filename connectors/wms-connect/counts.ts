import { z } from 'zod';

import type { MortarError } from '#platform/errors.ts';
import type { WriteDefinition } from '#connectors/kit/definition.ts';
import { upstreamError } from '#connectors/kit/failure.ts';
import { readRows, rows } from '#connectors/kit/rows.ts';
import { isPlausibleKey } from '#connectors/kit/wire.ts';
import type { WriteResult } from '#schema/model/outreach.ts';
import type { StockMove } from '#schema/model/writes.ts';

import type { ConnectSettings } from './settings.ts';

const known = z.object({ items: rows.nullish() });
const item = z.object({
  integration_entity_id: z.string().min(1),
  sku: z.string(),
  warehouse_id: z.string().nullish(),
});

const answer = z.object({
  items: rows.nullish(),
  poll_after_ms: z.number().int().nullish(),
  errors: z.array(z.object({ category: z.string().nullish() })).nullish(),
});

function auth(settings: ConnectSettings): object {
  return { order_source_api_code: settings.orderSourceCode, api_key: settings.apiKey };
}

function resultOf({ poll_after_ms, errors }: z.infer<typeof answer>): WriteResult | MortarError {
  const [problem] = errors ?? [];
  if (problem === undefined) return { kind: typeof poll_after_ms === 'number' ? 'ACCEPTED' : 'DONE' };
  return problem.category === 'resource_locked'
    ? upstreamError('UPSTREAM_UNAVAILABLE', { message: 'The WMS could not take this count now.' })
    : upstreamError('UPSTREAM_CONTRACT', { message: 'The WMS refused this count.' });
}

/**
 * Counts of a shelf, one a call: a figure is set. The contract knows no movements, only what is there now. A row has the
 * WMS's own id, so the item is read first; where the WMS keeps none, the count fails.
 * @source ShipEngine Connect order-source 4.9.0, inventory_push
 */
export const stockMoveSink: WriteDefinition<StockMove, WriteResult, ConnectSettings, z.infer<typeof answer>> = {
  max: 1,
  idempotency: 'natural',
  keyOf: ({ externalId, locationExternalId }) => JSON.stringify([externalId, locationExternalId]),
  accepts: ({ kind, externalId, locationExternalId, units, at }) =>
    kind === 'COUNTED' &&
    isPlausibleKey(externalId) &&
    isPlausibleKey(locationExternalId) &&
    Number.isSafeInteger(units) &&
    units >= 0 &&
    !Number.isNaN(Date.parse(at)),
  before: ([move], { settings, uuid }) => ({
    operation: 'POST inventory_fetch',
    method: 'POST',
    path: '/inventory_fetch',
    json: { transaction_id: uuid(), auth: auth(settings), criteria: { skus: [move?.externalId] } },
  }),
  request: ([move], { settings, uuid }, read) => {
    const { values } = readRows(item, known.safeParse(read).data?.items ?? [], (row) => row);
    const row = values.find((one) => one.sku === move?.externalId && one.warehouse_id === move.locationExternalId);
    if (move === undefined || row === undefined) {
      throw upstreamError('UPSTREAM_CONTRACT', { message: 'The WMS keeps no stock of this item there.' });
    }
    return {
      operation: 'POST inventory_push',
      method: 'POST',
      path: '/inventory_push',
      json: {
        transaction_id: uuid(),
        auth: auth(settings),
        items: [
          {
            integration_entity_id: row.integration_entity_id,
            sku: row.sku,
            available_quantity: move.units,
            warehouse_id: move.locationExternalId,
            updated_at: new Date(move.at).toISOString(),
          },
        ],
      },
    };
  },
  page: answer,
  decode: (body, inputs) => inputs.map(() => resultOf(body)),
};
