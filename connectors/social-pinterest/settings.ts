import { z } from 'zod';

import { kitOptions, readSettings } from '#connectors/kit/settings.ts';
import type { SystemConfig } from '#schema/model/configuration.ts';

const options = z.strictObject({
  ...kitOptions,
  adAccountId: z.string().regex(/^\d{1,20}$/),
  /** The registered recipient (retail.recipients) people agree to when they agree to Pinterest. */
  recipient: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/),
  /**
   * Calls a minute the app may make for one user. Standard access: 1,000 in the category `ads_read`, and 100 a second of all
   * categories; Trial access has 1,000 a day. Source: developers.pinterest.com/docs/reference/rate-limits
   */
  callsPerMinute: z.number().int().min(1).default(1_000),
  /** The same of writes (category `ads_write`), whose limit we have not verified: kept low. */
  writesPerMinute: z.number().int().min(1).default(100),
});
const credentials = z.strictObject({ accessToken: z.string().min(1) });

export type PinterestSettings = z.infer<typeof options> & z.infer<typeof credentials>;

export function pinterestSettings(config: SystemConfig): PinterestSettings {
  return readSettings(config, options, credentials);
}
