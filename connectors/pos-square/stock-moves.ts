import { z } from 'zod';

import type { WriteDefinition } from '#connectors/kit/definition.ts';
import type { WriteResult } from '#schema/model/outreach.ts';
import type { StockMove } from '#schema/model/writes.ts';

import type { SquareSettings } from './settings.ts';

/** Square takes these movements only; reservations it makes itself. Source: Square API, InventoryState (READ-ONLY states). */
const MOVEMENTS = {
  RECEIVED: ['NONE', 'IN_STOCK'],
  RETURNED: ['UNLINKED_RETURN', 'IN_STOCK'],
  SOLD: ['IN_STOCK', 'SOLD'],
  LOST: ['IN_STOCK', 'WASTE'],
} as const;

/** Changes that happened longer ago are refused. Source: InventoryAdjustment.occurred_at. */
const OLDEST_MS = 24 * 3_600_000;

function changeOf({ key, externalId, locationExternalId, kind, units, at }: StockMove): object {
  const target = {
    reference_id: key,
    catalog_object_id: externalId,
    location_id: locationExternalId,
    quantity: String(units),
    occurred_at: at,
  };
  if (kind === 'COUNTED') return { type: 'PHYSICAL_COUNT', physical_count: { ...target, state: 'IN_STOCK' } };
  const [from, to] = MOVEMENTS[kind];
  return { type: 'ADJUSTMENT', adjustment: { ...target, from_state: from, to_state: to } };
}

/** Square says the counts after it, which are read elsewhere. */
const answer = z.looseObject({});

/**
 * Movements and counts, one a call: Square remembers the key of a call, not of a change in it, so only then is a movement
 * told twice counted once.
 */
export const stockMoveSink: WriteDefinition<StockMove, WriteResult, SquareSettings, z.infer<typeof answer>> = {
  max: 1,
  idempotency: 'key',
  keyOf: ({ key }) => key,
  accepts: ({ key, externalId, locationExternalId, kind, units, at }, { nowMs }) =>
    /^[\x21-\x7e]{1,100}$/.test(key) &&
    [externalId, locationExternalId].every((id) => /^[\x21-\x7e]{1,100}$/.test(id)) &&
    Number.isSafeInteger(units) &&
    units >= (kind === 'COUNTED' ? 0 : 1) &&
    Date.parse(at) > nowMs - OLDEST_MS,
  request: ([move]) => ({
    operation: 'BatchChangeInventory',
    method: 'POST',
    path: '/v2/inventory/changes/batch-create',
    json: { idempotency_key: move?.key, changes: move === undefined ? [] : [changeOf(move)] },
  }),
  page: answer,
  decode: (_body, inputs) => inputs.map(() => ({ kind: 'DONE' })),
};
