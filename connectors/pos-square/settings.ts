import { z } from 'zod';

import { kitOptions, readSettings } from '#connectors/kit/settings.ts';
import type { SystemConfig } from '#schema/model/configuration.ts';

const options = z.strictObject({
  ...kitOptions,
  /** The retailer's channel of sales over the counter. */
  channel: z.string().default('store'),
  /** Customer groups of test profiles. */
  testGroupIds: z.array(z.string()).default(['TEST']),
  /** Customer groups of people whose profiles must never be linked. */
  doNotLinkGroupIds: z.array(z.string()).default(['DO_NOT_LINK']),
});
const credentials = z.strictObject({ accessToken: z.string().min(1) });

export type SquareSettings = z.infer<typeof options> & z.infer<typeof credentials>;

export function squareSettings(config: SystemConfig): SquareSettings {
  return readSettings(config, options, credentials);
}
