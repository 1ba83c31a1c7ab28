import { z } from 'zod';

import type { MortarError } from '#platform/errors.ts';
import type { WriteDefinition } from '#connectors/kit/definition.ts';
import { upstreamError } from '#connectors/kit/failure.ts';
import { isPlausibleKey } from '#connectors/kit/wire.ts';
import type { WriteResult } from '#schema/model/outreach.ts';
import type { StockOffer } from '#schema/model/writes.ts';

import type { AmazonSettings } from './settings.ts';

const response = z.object({
  status: z.object({ statusCode: z.number().int() }),
  body: z.object({
    clientSequenceNumber: z.number().int().nullish(),
    sellableQuantity: z.number().int().nullish(),
    actionableErrors: z.array(z.object({ errorType: z.string().nullish() })).nullish(),
  }),
});
const answer = z.object({ responses: z.array(z.unknown()) });

/** The item and place are part of a path inside the body: anything else than plain characters could say another path. */
function uriOf({ externalId, locationExternalId }: StockOffer): string {
  const query = new URLSearchParams({ locationId: locationExternalId, skuId: externalId });
  return `/inventory/update?${query.toString()}`;
}

/** Error types are words of Amazon's list; anything longer could quote what we sent. */
const plainWord = (text: string | null | undefined): string => (/^[A-Z_]{1,60}$/.test(text ?? '') ? (text ?? '') : '');

function resultOf(row: unknown, offer: StockOffer): WriteResult | MortarError {
  const read = response.safeParse(row);
  if (!read.success) return upstreamError('UPSTREAM_CONTRACT', { message: 'The answer to one offer is not readable.' });
  const { status, body } = read.data;
  const [problem] = body.actionableErrors ?? [];
  if (status.statusCode === 429) return upstreamError('UPSTREAM_RATE_LIMITED', { message: 'Too many offers.' });
  if (status.statusCode >= 500) return upstreamError('UPSTREAM_UNAVAILABLE', { message: 'One offer failed there.' });
  if (status.statusCode !== 200 || problem !== undefined) {
    const why = plainWord(problem?.errorType);
    return upstreamError('UPSTREAM_CONTRACT', {
      message: `The system refused one offer (${status.statusCode} ${why}).`,
    });
  }
  // The number Amazon kept: a higher one than ours came before.
  const kept = body.clientSequenceNumber ?? offer.sequence;
  return { kind: kept > offer.sequence ? 'SUPERSEDED' : 'DONE' };
}

/**
 * Units Amazon may sell from the seller's own places. Each offer carries a sequence number: Amazon keeps the highest.
 * @source External Fulfillment Inventory 2024-09-11, batchInventory: ten requests a call, 207 with one answer each
 */
export const stockOfferSink: WriteDefinition<StockOffer, WriteResult, AmazonSettings, z.infer<typeof answer>> = {
  max: 10,
  idempotency: 'sequence',
  // Of several offers in one list the highest number counts, wherever it stands.
  keyOf: (offer) => `${uriOf(offer)} ${offer.sequence}`,
  accepts: ({ externalId, locationExternalId, units, sequence }) =>
    [externalId, locationExternalId].every((id) => isPlausibleKey(id) && id.length <= 100) &&
    Number.isSafeInteger(units) &&
    units >= 0 &&
    Number.isSafeInteger(sequence) &&
    sequence >= 0,
  request: (offers, { settings }) => ({
    operation: 'batchInventory',
    method: 'POST',
    path: '/externalFulfillment/inventory/2024-09-11/inventories',
    json: {
      requests: offers.map((offer) => ({
        method: 'POST',
        uri: uriOf(offer),
        body: {
          quantity: offer.units,
          clientSequenceNumber: offer.sequence,
          marketplaceAttributes: { marketplaceId: settings.marketplaceId, channelName: 'MFN' },
        },
      })),
    },
  }),
  page: answer,
  // Answers stand in the order of the requests.
  decode: ({ responses }, offers) => offers.map((offer, index) => resultOf(responses[index], offer)),
};
