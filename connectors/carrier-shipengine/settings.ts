import { z } from 'zod';

import { kitOptions, readSettings } from '#connectors/kit/settings.ts';
import type { SystemConfig } from '#schema/model/configuration.ts';

const options = z.strictObject({
  ...kitOptions,
  /** Carrier connections whose rates and service points are asked for, for example `se-123456`. */
  carrierIds: z.array(z.string().regex(/^se-[\w-]{1,40}$/)).min(1),
  /** How far a service point may be. */
  radiusMeters: z.number().int().min(100).max(100_000).default(10_000),
  /** Calls a minute the account may make. ShipEngine's terms name 200; other plans have more. */
  callsPerMinute: z.number().int().min(1).default(200),
});
const credentials = z.strictObject({ apiKey: z.string().min(1) });

export type ShipengineSettings = z.infer<typeof options> & z.infer<typeof credentials>;

export function shipengineSettings(config: SystemConfig): ShipengineSettings {
  return readSettings(config, options, credentials);
}
