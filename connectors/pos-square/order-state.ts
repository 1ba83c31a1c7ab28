import { wordOf } from '#connectors/kit/text.ts';
import type { OrderState } from '#schema/model/records.ts';

interface SquareOrderFacts {
  readonly state?: string | null | undefined;
  readonly returns?: readonly unknown[] | null | undefined;
  readonly refunds?: readonly { readonly status?: string | null | undefined }[] | null | undefined;
  readonly fulfillments?:
    | readonly { readonly type?: string | null | undefined; readonly state?: string | null | undefined }[]
    | null
    | undefined;
}

const COMPLETED: Readonly<Record<string, OrderState>> = {
  PICKUP: 'COLLECTED',
  SHIPMENT: 'IN_TRANSIT',
  DELIVERY: 'DELIVERED',
};

/** Square's order and fulfillment states as one canonical state. An order may hold several fulfillments: the first counts. */
export function orderState(order: SquareOrderFacts): { readonly state: OrderState; readonly vendorState: string } {
  const fulfillment = order.fulfillments?.[0];
  const vendorState = [order.state, fulfillment?.state].filter((word) => typeof word === 'string').join('/');
  return { state: stateOf(order, fulfillment), vendorState };
}

function stateOf(
  order: SquareOrderFacts,
  fulfillment: { type?: string | null | undefined; state?: string | null | undefined } | undefined,
): OrderState {
  if (order.state === 'CANCELED') return 'CANCELED';
  const settled = (order.refunds ?? []).some((refund) => refund.status === 'APPROVED');
  if (settled) return 'REFUNDED';
  if ((order.returns ?? []).length > 0) return 'RETURN_RECEIVED';
  switch (fulfillment?.state) {
    case 'PROPOSED':
      return 'RECEIVED';
    case 'RESERVED':
      return 'PICKING';
    case 'PREPARED':
      return fulfillment.type === 'PICKUP' ? 'READY_FOR_PICKUP' : 'PACKED';
    case 'COMPLETED':
      return wordOf(COMPLETED, fulfillment.type) ?? 'UNKNOWN';
    case 'CANCELED':
      return 'CANCELED';
    case 'FAILED':
      return 'HELD';
    default:
      break;
  }
  if (order.state === 'COMPLETED') return 'COLLECTED';
  return order.state === 'OPEN' || order.state === 'DRAFT' ? 'RECEIVED' : 'UNKNOWN';
}
