import { z } from 'zod';

import { readRows, rows } from '#connectors/kit/rows.ts';
import type { SubscriptionDefinition } from '#connectors/kit/webhook.ts';
import type { WireRequest } from '#connectors/kit/wire.ts';

import type { BusinessCentralSettings } from './settings.ts';

const page = z.object({ value: rows });
const subscription = z.object({
  '@odata.etag': z.string().min(1),
  subscriptionId: z.string().regex(/^\w{1,100}$/),
  notificationUrl: z.string(),
  resource: z.string(),
});

const SETS = ['items', 'salesOrders'];

const pathOf = ({ environment }: BusinessCentralSettings): string =>
  `/v2.0/${encodeURIComponent(environment)}/api/v2.0/subscriptions`;

/** Resources come back as they were given, or as absolute addresses. */
const isOf = (resource: string, wanted: string): boolean => resource.toLowerCase().endsWith(wanted.toLowerCase());

/**
 * Business Central forgets a subscription after three days; each creation and renewal asks our address whether it is ours.
 * Source: Business Central API (v2.0), "subscriptions resource type".
 */
export const businessCentralSubscription: SubscriptionDefinition<BusinessCentralSettings, z.infer<typeof page>> = {
  everyMs: 24 * 3_600_000,
  list: ({ settings }) => ({ operation: 'GET subscriptions', method: 'GET', path: pathOf(settings) }),
  page,
  renewals: (listed: z.infer<typeof page>, address, { settings }) => {
    const known = readRows(subscription, listed.value, (row) => row).values.filter(
      ({ notificationUrl }) => notificationUrl === address,
    );
    return SETS.map((set): WireRequest => {
      const resource = `/api/v2.0/companies(${settings.companyId})/${set}`;
      const wanted = { notificationUrl: address, resource, clientState: settings.clientState };
      const own = known.find((entry) => isOf(entry.resource, resource));
      const path = pathOf(settings);
      return own === undefined
        ? { operation: 'POST subscriptions', method: 'POST', path, json: wanted }
        : {
            operation: 'PATCH subscriptions',
            method: 'PATCH',
            path: `${path}('${own.subscriptionId}')`,
            headers: { 'if-match': own['@odata.etag'] },
            json: wanted,
          };
    });
  },
};
