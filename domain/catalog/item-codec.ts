import { z } from 'zod';

import type { ItemRecord } from '#schema/model/records.ts';
import { toSystemId } from '#schema/model/ids.ts';

const text = z.string().nullable();

const systemId = z.string().transform(toSystemId);

const sourceSchema = z.object({ system: systemId, connector: z.string(), reference: text, sequence: text });

/** A value's provenance as stored or cached. */
export const provenanceSchema = z.object({
  asOf: text,
  observedAt: z.string(),
  source: sourceSchema.nullable(),
  lane: z.enum(['REALTIME', 'NEAR_REALTIME', 'DERIVED']),
  stale: z.boolean(),
  degraded: z.boolean(),
  inputs: z.array(sourceSchema),
});

/** An item as stored in a snapshot or in a cache: checked on every read, because neither is ours alone. */
export const itemRecordSchema: z.ZodType<ItemRecord> = z.object({
  system: systemId,
  externalId: z.string(),
  code: text,
  kind: z.string(),
  gtin: text,
  title: text,
  brand: text,
  category: text,
  productType: text,
  baseUnit: z.enum(['PIECE', 'GRAM', 'MILLILITER', 'MILLIMETER']).nullable(),
  hazardous: z.boolean().nullable(),
  price: z.object({ amount: z.string().regex(/^-?\d+(\.\d+)?$/), currency: z.string().length(3) }).nullable(),
  publishedQuantity: z.number().nullable(),
  companyQuantity: z.number().nullable(),
  blocked: z.boolean(),
  provenance: provenanceSchema,
});

/** The record a snapshot row holds; null when the row is not readable (it is then as good as absent). */
export function parseItemRecord(json: string): ItemRecord | null {
  try {
    return itemRecordSchema.parse(JSON.parse(json));
  } catch {
    return null;
  }
}
