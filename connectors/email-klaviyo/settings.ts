import { z } from 'zod';

import { kitOptions, readSettings } from '#connectors/kit/settings.ts';
import type { SystemConfig } from '#schema/model/configuration.ts';

const property = z.string().min(1).max(100).optional();
const options = z.strictObject({
  ...kitOptions,
  /** Names of the profile's custom properties that hold what Klaviyo itself has no field for; absent: it holds none. */
  loyaltyNumberProperty: property,
  /** True there marks a test profile. */
  testProperty: property,
  /** True there marks a person whose profiles must never be linked. */
  doNotLinkProperty: property,
  /** Written on consents that come from here. */
  consentSource: z.string().min(1).max(100).default('Mortar'),
});
const credentials = z.strictObject({ apiKey: z.string().min(1) });

export type KlaviyoSettings = z.infer<typeof options> & z.infer<typeof credentials>;

export function klaviyoSettings(config: SystemConfig): KlaviyoSettings {
  return readSettings(config, options, credentials);
}
