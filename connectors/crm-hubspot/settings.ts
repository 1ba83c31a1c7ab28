import { z } from 'zod';

import { kitOptions, readSettings } from '#connectors/kit/settings.ts';
import type { SystemConfig } from '#schema/model/configuration.ts';

const options = z.strictObject({
  ...kitOptions,
  /** Calls the account's tier allows this app in ten seconds. */
  callsPer10Seconds: z.number().int().min(1).default(100),
  searchesPerSecond: z.number().int().min(1).default(5),
  /** The subscription type that stands for marketing by e-mail; absent: grants cannot be written, and reads know no decision. */
  marketingSubscriptionId: z.number().int().min(1).optional(),
  /** Written beside each grant. */
  consentExplanation: z.string().min(1).max(500).default('Recorded in the consent ledger of the retailer'),
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
