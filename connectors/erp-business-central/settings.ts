import { z } from 'zod';

import { kitOptions, readSettings } from '#connectors/kit/settings.ts';
import type { SystemConfig } from '#schema/model/configuration.ts';

const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const options = z.strictObject({
  ...kitOptions,
  companyId: z.string().regex(guid),
  environment: z
    .string()
    .regex(/^[A-Za-z0-9][\w-]{0,59}$/)
    .default('production'),
  /** Absolute; default: `/oauth2/v2.0/token` below the system's URL. */
  tokenUrl: z.url({ protocol: /^https?$/ }).optional(),
  scope: z.string().default('https://api.businesscentral.dynamics.com/.default'),
  /** ISO 4217 code of the company's local currency: items and local orders state none. */
  currency: z.string().length(3).default('GBP'),
  /** The system whose profile ids stand in `customerNumber`; absent: orders name no profile. */
  customerSystem: z.string().optional(),
  /** The collective customer number of orders without an account. */
  guestCustomerNumber: z.string().default('GUEST'),
  /** The order field whose code names the sales channel. */
  channelField: z.string().default('shortcutDimension1Code'),
  /** The channels sell at prices without tax, so such prices are shown as they stand. */
  netPrices: z.boolean().default(false),
  /** Fields an extension adds to the item page, by what they hold. */
  brandField: z.string().optional(),
  productTypeField: z.string().optional(),
  /** A boolean. */
  hazardousField: z.string().optional(),
});
const credentials = z.strictObject({
  clientId: z.string().min(1),
  clientSecret: z.string().min(1),
  /** What subscriptions were given as clientState; absent: no webhooks. */
  clientState: z.string().min(16).optional(),
});

export type BusinessCentralSettings = z.infer<typeof options> &
  z.infer<typeof credentials> & { readonly tokenUrl: string };

export function businessCentralSettings(config: SystemConfig): BusinessCentralSettings {
  const settings = readSettings(config, options, credentials);
  return { ...settings, tokenUrl: settings.tokenUrl ?? `${config.url.replace(/\/+$/, '')}/oauth2/v2.0/token` };
}

/** Whether a key is a record's GUID; otherwise it is a number people type. */
export function isGuid(key: string): boolean {
  return guid.test(key);
}
