import { z } from 'zod';

import type { WriteDefinition } from '#connectors/kit/definition.ts';
import { isPlausibleKey } from '#connectors/kit/wire.ts';
import type { WriteResult } from '#schema/model/outreach.ts';
import type { OrderStep } from '#schema/model/writes.ts';

import type { ConnectSettings } from './settings.ts';

/**
 * Fulfillments called off, one a call: a state is set. The other steps are the WMS's own to tell.
 * @source ShipEngine Connect fulfillment-provider 4.6.0, cancel_fulfillment: 200 with an object that says nothing
 */
export const orderStepSink: WriteDefinition<OrderStep, WriteResult, ConnectSettings, object> = {
  max: 1,
  idempotency: 'natural',
  keyOf: ({ externalId }) => externalId,
  accepts: ({ state, externalId }) => state === 'CANCELED' && isPlausibleKey(externalId),
  request: ([step], { settings, uuid }) => ({
    operation: 'POST cancel_fulfillment',
    method: 'POST',
    path: '/cancel_fulfillment',
    json: {
      transaction_id: uuid(),
      auth: { fulfillment_provider_api_code: settings.fulfillmentProviderCode, api_key: settings.apiKey },
      fulfillment_provider_order_id: step?.externalId ?? '',
      reason: 'The order was canceled.',
    },
  }),
  page: z.looseObject({}),
  decode: (_body, inputs) => inputs.map(() => ({ kind: 'DONE' })),
};
