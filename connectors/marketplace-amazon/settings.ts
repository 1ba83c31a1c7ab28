import { z } from 'zod';

import { kitOptions, readSettings } from '#connectors/kit/settings.ts';
import type { SystemConfig } from '#schema/model/configuration.ts';

const segment = z.string().regex(/^[A-Za-z0-9]{1,40}$/);

const options = z.strictObject({
  ...kitOptions,
  /** For example A1F83G8C2ARO7P (amazon.co.uk). */
  marketplaceId: segment,
  /** The selling partner id. */
  sellerId: segment,
  /** Absolute; default: `/auth/o2/token` below the system's URL (Amazon's own is https://api.amazon.com/auth/o2/token). */
  tokenUrl: z.url({ protocol: /^https?$/ }).optional(),
  /** The retailer's channel these orders belong to. */
  channel: z.string().default('amazon'),
  /** External id of the location that stands for Amazon's warehouses. @default the marketplace id */
  stockLocation: z.string().min(1).optional(),
  /**
   * Get a restricted data token for orders. Amazon does not require it for Orders 2026-01-01 (roles open the personal
   * data); environments that still do turn it on.
   */
  restrictedDataToken: z.boolean().default(false),
  /** The first run asks for orders updated since this instant. */
  ordersSince: z.iso.datetime().default('2000-01-01T00:00:00.000Z'),
});
const credentials = z.strictObject({
  clientId: z.string().min(1),
  clientSecret: z.string().min(1),
  refreshToken: z.string().min(1),
});

export type AmazonSettings = z.infer<typeof options> &
  z.infer<typeof credentials> & { readonly url: string; readonly tokenUrl: string; readonly stockLocation: string };

export function amazonSettings(config: SystemConfig): AmazonSettings {
  const settings = readSettings(config, options, credentials);
  const url = config.url.replace(/\/+$/, '');
  return {
    ...settings,
    url,
    tokenUrl: settings.tokenUrl ?? `${url}/auth/o2/token`,
    stockLocation: settings.stockLocation ?? settings.marketplaceId,
  };
}
