import { z } from 'zod';

import { provenanceSchema } from '#domain/catalog/item-codec.ts';
import { toLocationId, toSystemId } from '#schema/model/ids.ts';
import type { LocationRecord, StockReading } from '#schema/model/records.ts';

const text = z.string().nullable();
const number = z.number().nullable();
const systemId = z.string().transform(toSystemId);

/** A reading as stored: checked on every read. */
export const stockReadingSchema: z.ZodType<StockReading> = z.object({
  system: systemId,
  externalId: z.string(),
  code: z.string(),
  locationExternalId: z.string(),
  onHand: number,
  committed: number,
  incoming: number,
  nets: z.array(z.enum(['committed', 'held'])),
  provenance: provenanceSchema,
});

/** A system's locations as stored or cached: checked on every read. */
export const locationRecordsSchema: z.ZodType<readonly LocationRecord[]> = z.array(
  z.object({
    system: systemId,
    externalId: z.string(),
    id: z.string().transform(toLocationId),
    name: text,
    kind: z.enum([
      'STORE',
      'WAREHOUSE',
      'DARK_STORE',
      'MICRO_FULFILLMENT',
      'LOCKER',
      'SUPPLIER',
      'MARKETPLACE_WAREHOUSE',
    ]),
    zone: z.enum(['URBAN', 'SUBURBAN', 'REGIONAL', 'RURAL']).nullable(),
    latitude: number,
    longitude: number,
    postalCode: text,
    country: text,
    timeZone: text,
    openingPeriods: z.array(z.object({ weekday: z.number(), opensAt: z.string(), closesAt: z.string() })),
  }),
);

/** The parsed value; null when the text is not JSON or not of the shape. */
export function parseStored<V>(schema: z.ZodType<V>, json: string): V | null {
  try {
    return schema.parse(JSON.parse(json));
  } catch {
    return null;
  }
}
