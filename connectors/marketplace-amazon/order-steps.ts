import { z } from 'zod';

import type { WriteDefinition } from '#connectors/kit/definition.ts';
import type { WriteResult } from '#schema/model/outreach.ts';
import type { OrderStep } from '#schema/model/writes.ts';

import type { AmazonSettings } from './settings.ts';

const STATUSES: Readonly<Partial<Record<OrderStep['state'], string>>> = {
  READY_FOR_PICKUP: 'ReadyForPickup',
  COLLECTED: 'PickedUp',
};

/** Amazon's own order ids; any other text would be part of the path. */
const ORDER_ID = /^[\w-]{1,60}$/;

/**
 * Pickups of Amazon orders, one a call: a state is set. Picking is no business of Amazon's, and cancelling is no state.
 * @source Orders v0, updateShipmentStatus: 204 without a body
 */
export const orderStepSink: WriteDefinition<OrderStep, WriteResult, AmazonSettings> = {
  max: 1,
  idempotency: 'natural',
  keyOf: ({ key }) => key,
  accepts: ({ externalId, state }) => STATUSES[state] !== undefined && ORDER_ID.test(externalId),
  request: ([step], { settings }) => ({
    operation: 'updateShipmentStatus',
    method: 'POST',
    path: `/orders/v0/orders/${encodeURIComponent(step?.externalId ?? '')}/shipment`,
    json: { marketplaceId: settings.marketplaceId, shipmentStatus: step === undefined ? '' : STATUSES[step.state] },
  }),
  page: z.unknown(),
  decode: (_body, inputs) => inputs.map(() => ({ kind: 'DONE' })),
};
