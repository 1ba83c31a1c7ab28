import { z } from 'zod';

import { kitOptions, readSettings } from '#connectors/kit/settings.ts';
import type { SystemConfig } from '#schema/model/configuration.ts';

/** `GOLD=3001`: the tier's name and the lifetime points from which it is held. */
const tier = z
  .string()
  .regex(/^[^=]{1,40}=\d{1,9}$/)
  .transform((text) => ({ name: text.slice(0, text.indexOf('=')).trim(), points: Number(text.split('=')[1]) }));

const options = z.strictObject({
  ...kitOptions,
  /** The retailer's channel of sales over the counter. */
  channel: z.string().default('store'),
  /** Customer groups of test profiles. */
  testGroupIds: z.array(z.string()).default(['TEST_GROUP']),
  /** Customer groups of people whose profiles must never be linked. */
  doNotLinkGroupIds: z.array(z.string()).default(['DO_NOT_LINK_GROUP']),
  /** What a customer's free `reference_id` holds at this retailer. */
  referenceId: z.enum(['loyaltyNumber', 'other']).default('loyaltyNumber'),
  /** The retailer's loyalty tiers, each as `NAME=POINTS`: Square knows none. Read in order of points. */
  loyaltyTiers: z
    .array(tier)
    .transform((tiers) => tiers.toSorted((a, b) => a.points - b.points))
    .default([]),
  /** Sent as Square-Version. */
  apiVersion: z.literal('2025-08-20').default('2025-08-20'),
});
const credentials = z.strictObject({
  token: z.string().min(1),
  /** Of the webhook subscription; absent: no webhooks. */
  webhookSignatureKey: z.string().min(1).optional(),
});

export type SquareSettings = z.infer<typeof options> & z.infer<typeof credentials>;

export function squareSettings(config: SystemConfig): SquareSettings {
  return readSettings(config, options, credentials);
}
