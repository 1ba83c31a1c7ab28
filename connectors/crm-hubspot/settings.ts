import { z } from 'zod';

import { kitOptions, readSettings } from '#connectors/kit/settings.ts';
import type { SystemConfig } from '#schema/model/configuration.ts';

const options = z.strictObject({
  ...kitOptions,
  /** Calls the account's tier allows this app in ten seconds. */
  callsPer10Seconds: z.number().int().min(1).default(100),
  searchesPerSecond: z.number().int().min(1).default(5),
});
const credentials = z.strictObject({
  token: z.string().min(1),
  /** Of the app, which signs its webhooks with it; absent: no webhooks. */
  clientSecret: z.string().min(1).optional(),
});

export type HubspotSettings = z.infer<typeof options> & z.infer<typeof credentials>;

export function hubspotSettings(config: SystemConfig): HubspotSettings {
  return readSettings(config, options, credentials);
}
