import { z } from 'zod';

import { kitOptions, readSettings } from '#connectors/kit/settings.ts';
import type { SystemConfig } from '#schema/model/configuration.ts';

const options = z.strictObject({
  ...kitOptions,
  /** How the WMS knows us as an order source. */
  orderSourceCode: z.string().min(1).default('mortar'),
  /** The WMS's own code as a fulfillment provider. */
  fulfillmentProviderCode: z.string().min(1).default('wms'),
  /** The first run asks for changes since this instant. */
  changesSince: z.iso.datetime().default('2000-01-01T00:00:00.000Z'),
  /** What stands before the retailer's order number in `fulfillment_provider_order_id`; absent: the id does not tell it. */
  orderIdPrefix: z.string().optional(),
});
const credentials = z.strictObject({ apiKey: z.string().min(1) });

export type ConnectSettings = z.infer<typeof options> & z.infer<typeof credentials>;

export function connectSettings(config: SystemConfig): ConnectSettings {
  return readSettings(config, options, credentials);
}
