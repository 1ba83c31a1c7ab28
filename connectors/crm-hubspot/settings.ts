import { z } from 'zod';

import { kitOptions, readSettings } from '#connectors/kit/settings.ts';
import type { SystemConfig } from '#schema/model/configuration.ts';

const options = z.strictObject({ ...kitOptions });
const credentials = z.strictObject({ token: z.string().min(1) });

export type HubspotSettings = z.infer<typeof options> & z.infer<typeof credentials>;

export function hubspotSettings(config: SystemConfig): HubspotSettings {
  return readSettings(config, options, credentials);
}
