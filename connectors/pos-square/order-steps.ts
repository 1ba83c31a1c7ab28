import { z } from 'zod';

import type { WriteDefinition } from '#connectors/kit/definition.ts';
import { upstreamError } from '#connectors/kit/failure.ts';
import type { WriteResult } from '#schema/model/outreach.ts';
import type { OrderStep } from '#schema/model/writes.ts';

import type { SquareSettings } from './settings.ts';

const STATES = {
  PICKING: 'RESERVED',
  READY_FOR_PICKUP: 'PREPARED',
  COLLECTED: 'COMPLETED',
  CANCELED: 'CANCELED',
} as const satisfies Record<OrderStep['state'], string>;

const found = z.object({
  orders: z
    .array(
      z.object({
        id: z.string(),
        location_id: z.string(),
        version: z.number().int(),
        fulfillments: z.array(z.object({ uid: z.string(), type: z.string(), state: z.string().nullish() })).min(1),
      }),
    )
    .length(1),
});
const answer = z.object({ order: z.looseObject({}) });

/**
 * Steps of orders that are picked up, one a call. Square wants the version that is changed, so the order is read first: who
 * changed it meanwhile wins, and the step fails. A step that was taken already is not sent again, for its version has moved
 * on, and Square refuses another body under a used key; the key sent belongs to one version.
 */
export const orderStepSink: WriteDefinition<OrderStep, WriteResult, SquareSettings, z.infer<typeof answer>> = {
  max: 1,
  idempotency: 'key',
  keyOf: ({ key }) => key,
  accepts: ({ key, externalId }) => /^[\x21-\x7e]{1,45}$/.test(key) && /^[\w-]{1,192}$/.test(externalId),
  before: ([step]) => ({
    operation: 'BatchRetrieveOrders',
    method: 'POST',
    path: '/v2/orders/batch-retrieve',
    json: { order_ids: [step?.externalId] },
  }),
  isSo: ([step], read) => {
    const [order] = found.safeParse(read).data?.orders ?? [];
    return step !== undefined && order?.id === step.externalId && order.fulfillments[0]?.state === STATES[step.state];
  },
  request: ([step], _context, read) => {
    const [order] = found.safeParse(read).data?.orders ?? [];
    if (step === undefined || order === undefined || order.id !== step.externalId) {
      throw upstreamError('UPSTREAM_CONTRACT', { message: 'The system has no such order that can move on.' });
    }
    const [fulfillment] = order.fulfillments;
    return {
      operation: 'UpdateOrder',
      method: 'PUT',
      path: `/v2/orders/${encodeURIComponent(step.externalId)}`,
      json: {
        idempotency_key: `${step.key}:${order.version}`,
        order: {
          location_id: order.location_id,
          version: order.version,
          fulfillments: [{ uid: fulfillment?.uid, state: STATES[step.state] }],
        },
      },
    };
  },
  page: answer,
  decode: (_body, inputs) => inputs.map(() => ({ kind: 'DONE' })),
};
