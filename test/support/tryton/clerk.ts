import { z } from 'zod';

import type { Tryton } from './trytond.ts';

/** Somebody in the warehouse finds so many units broken and books them out. */
export async function loseUnits(
  { rpc, ids }: Tryton,
  { sku, place, units }: { readonly sku: string; readonly place: string; readonly units: number },
): Promise<void> {
  const rows = z.tuple([z.object({ id: z.int(), default_uom: z.int() })]);
  const [product] = rows.parse(
    await rpc('product.product.search_read', [['code', '=', sku]], 0, null, null, ['default_uom'], {}),
  );
  const zones = z.tuple([z.object({ storage_location: z.int() })]);
  const [warehouse] = zones.parse(await rpc('stock.location.read', [ids.warehouses[place]], ['storage_location'], {}));
  const move = {
    product: product.id,
    uom: product.default_uom,
    quantity: units,
    from_location: warehouse.storage_location,
    to_location: ids.lost,
  };
  await rpc('stock.move.do', await rpc('stock.move.create', [move], {}), {});
}

/** What Tryton itself forecasts of a product in a building. */
export async function forecastOf(
  { rpc, ids }: Tryton,
  { sku, place }: { readonly sku: string; readonly place: string },
): Promise<number> {
  const context = { locations: [ids.warehouses[place]], with_childs: true };
  const fields = ['forecast_quantity'];
  const rows = await rpc('product.product.search_read', [['code', '=', sku]], 0, null, null, fields, context);
  const [{ forecast_quantity: forecast }] = z.tuple([z.object({ forecast_quantity: z.number() })]).parse(rows);
  return forecast;
}
