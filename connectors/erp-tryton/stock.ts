import { z } from 'zod';

import type { BatchReadDefinition, StockKey } from '#connectors/kit/definition.ts';
import type { StockDraft } from '#connectors/kit/draft.ts';
import { upstreamError } from '#connectors/kit/failure.ts';
import { readRows, wholeKeys } from '#connectors/kit/rows.ts';
import { unitsOf } from '#connectors/kit/text.ts';
import type { MortarError } from '#platform/errors.ts';

import { nextRecords, recordId, records, searchRead } from './rpc.ts';
import type { Records } from './rpc.ts';
import { isRecordId } from './settings.ts';
import type { TrytonSettings } from './settings.ts';

/** Open moves of one page. */
const MOVES_PAGE = 1_000;

const shelf = z.object({ id: recordId, quantity: z.number() });
const place = z.object({ warehouse: recordId.nullish() }).nullish();
const move = z.object({
  product: recordId,
  internal_quantity: z.number(),
  'from_location.': place,
  'to_location.': place,
});
type Move = z.infer<typeof move>;

/**
 * Stock in every warehouse, whole buildings: on hand is what moves that are done left there, packed goods included;
 * committed what open moves take out of the building, incoming what they bring. Tryton's own forecast is on hand less
 * committed plus incoming, but for planned moves whose day has passed, which it forgets; we do not: they were promised.
 */
export const stockByItem: BatchReadDefinition<StockKey, readonly StockDraft[], TrytonSettings, Records> = {
  max: 100,
  keyOf: ({ externalId }) => externalId,
  accepts: isRecordId,
  request: (keys, { settings }) => {
    const domain = [
      ['product', 'in', idsOf(keys)],
      ['state', 'in', ['draft', 'assigned']],
      ['company', '=', settings.company],
    ];
    const fields = ['product', 'internal_quantity', 'from_location.warehouse', 'to_location.warehouse'];
    return searchRead('stock.move', { domain, fields, limit: MOVES_PAGE }, settings);
  },
  // Quantities are of the locations the context names: one call a warehouse.
  fanOut: (keys, { settings }) =>
    settings.warehouses.map((warehouse) =>
      searchRead(
        'product.product',
        {
          domain: [
            ['id', 'in', idsOf(keys)],
            ['active', 'in', [true, false]],
          ],
          fields: ['quantity'],
          context: { locations: [Number(warehouse)], with_childs: true },
        },
        settings,
      ),
    ),
  page: records,
  more: (page, previous) => {
    const request = nextRecords(page, previous, MOVES_PAGE);
    return request === null ? null : { request };
  },
  decode: (bodies, keys, { settings, nowMs }) => {
    const { warehouses } = settings;
    const shelvesAt = bodies.length - warehouses.length;
    const open = readWhole(move, bodies.slice(0, shelvesAt).flat(), 'product');
    const onHand = bodies.slice(shelvesAt).map((rows) => readWhole(shelf, rows, 'id'));
    const asOf = new Date(nowMs).toISOString();
    const readings = (key: StockKey): readonly StockDraft[] | MortarError => {
      const id = key.externalId;
      if (![open, ...onHand].every((read) => read.isWhole(id))) return unreadable();
      const own = open.values.filter(({ product }) => String(product) === id);
      return warehouses.flatMap((warehouse, index) => {
        const found = onHand[index]?.values.find((row) => String(row.id) === id);
        return found === undefined ? [] : decodeStock(key, { warehouse, quantity: found.quantity, open: own, asOf });
      });
    };
    return { values: new Map(keys.map((key) => [key.externalId, readings(key)])), rejected: 0 };
  },
  absent: [],
  // Worked out while we wait: it is of now.
  freshnessMs: 60_000,
};

interface Shelf {
  readonly warehouse: string;
  readonly quantity: number;
  readonly open: readonly Move[];
  readonly asOf: string;
}

function decodeStock({ sku, externalId }: StockKey, { warehouse, quantity, open, asOf }: Shelf): StockDraft {
  const isHere = (end: Move['from_location.']): boolean => String(end?.warehouse) === warehouse;
  const sum = (moves: readonly Move[]): number => moves.reduce((total, row) => total + row.internal_quantity, 0);
  const leaving = open.filter((row) => isHere(row['from_location.']) && !isHere(row['to_location.']));
  const arriving = open.filter((row) => isHere(row['to_location.']) && !isHere(row['from_location.']));
  return {
    externalId,
    code: sku,
    locationExternalId: warehouse,
    onHand: unitsOf(quantity),
    committed: unitsOf(sum(leaving), 'demand'),
    incoming: unitsOf(sum(arriving)),
    nets: [],
    stamp: { asOf, reference: null, sequence: null },
  };
}

/** Rows, and whether everything said of a product could be read: half of the moves is a wrong figure. */
function readWhole<T>(schema: z.ZodType<T>, list: Records, field: string) {
  return { values: readRows(schema, list, (row) => row).values, isWhole: wholeKeys(schema, list, field) };
}

const idsOf = (keys: readonly StockKey[]): readonly number[] => keys.map(({ externalId }) => Number(externalId));

function unreadable(): MortarError {
  return upstreamError('UPSTREAM_CONTRACT', { message: 'Moves or quantities of this product could not be read.' });
}
