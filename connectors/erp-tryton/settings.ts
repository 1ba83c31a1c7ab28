import { z } from 'zod';

import { kitOptions, readSettings } from '#connectors/kit/settings.ts';
import type { SystemConfig } from '#schema/model/configuration.ts';

/** Ids are 32-bit integers: a longer one would be an error of the database. */
const id = z.string().regex(/^[1-9]\d{0,8}$/);

const options = z.strictObject({
  ...kitOptions,
  database: z.string().regex(/^[A-Za-z0-9][\w-]{0,62}$/),
  /** Id of the company prices and orders are of. */
  company: z.int().min(1).default(1),
  /** ISO 4217 code of the company: prices state none. */
  currency: z.string().length(3).default('GBP'),
  /** Ids of the warehouses whose stock is told; absent: no stock. */
  warehouses: z.array(id).max(40).default([]),
  /** The channels sell at prices without tax, so a price is shown also where taxes come on top. */
  netPrices: z.boolean().default(false),
  /** Id of the party category of customers; absent: every party is a profile, suppliers too. */
  customerCategory: z.int().min(1).optional(),
  /** The system whose profile ids stand in party codes; absent: the buyer of an order is its party. */
  customerSystem: z.string().optional(),
  /** What stands before such an id in the code; other parties stay their own. */
  customerCodePrefix: z.string().default(''),
  /** The sale's text field that names the sales channel; absent: orders name none. */
  channelField: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,62}$/)
    .optional(),
});
const credentials = z.strictObject({
  /** A session is named by login, user and key, with colons between. */
  login: z.string().regex(/^[^:]+$/),
  password: z.string().min(1),
});

export type TrytonSettings = z.infer<typeof options> & z.infer<typeof credentials> & { readonly loginUrl: string };

export function trytonSettings(config: SystemConfig): TrytonSettings {
  const settings = readSettings(config, options, credentials);
  return { ...settings, loginUrl: `${config.url.replace(/\/+$/, '')}/${settings.database}/` };
}

/** The number an id is on the wire. */
export function isRecordId(text: string): boolean {
  return id.safeParse(text).success;
}
