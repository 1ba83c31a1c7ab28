import { z } from 'zod';

import { kitOptions, readSettings } from '#connectors/kit/settings.ts';
import type { SystemConfig } from '#schema/model/configuration.ts';

const options = z.strictObject({
  ...kitOptions,
  /** Carrier connections whose rates and service points are asked for, for example `se-123456`. */
  carrierIds: z.array(z.string().regex(/^se-[\w-]{1,40}$/)).min(1),
  /** How far a service point may be. */
  radiusMeters: z.number().int().min(100).max(100_000).default(10_000),
  /**
   * Calls a minute the account may make; ShipEngine grants more on request.
   * @default 200, and 20 in its sandbox. Source: shipengine.com/docs/rate-limits; help center, "Best practices"
   */
  callsPerMinute: z.number().int().min(1).optional(),
});
const credentials = z.strictObject({ apiKey: z.string().min(1) });

export type ShipengineSettings = z.infer<typeof options> &
  z.infer<typeof credentials> & { readonly callsPerMinute: number };

export function shipengineSettings(config: SystemConfig): ShipengineSettings {
  const settings = readSettings(config, options, credentials);
  const isTest = settings.apiKey.startsWith('TEST_');
  return { ...settings, callsPerMinute: settings.callsPerMinute ?? (isTest ? 20 : 200) };
}
