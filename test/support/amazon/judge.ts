// Plays Amazon by one of its own embedded pairs, and judges what the connector makes of it by a reading of our own.
import { connectSystem } from '#connectors/kit/connect-system.ts';
import { marketplaceAmazon } from '#connectors/marketplace-amazon/connector.ts';
import { systemClock } from '#platform/clock.ts';
import { systemConfig } from '#schema/model/configuration.ts';
import type { ConnectedSystem } from '#schema/model/sources.ts';
import type { OrderStep, StockOffer } from '#schema/model/writes.ts';
import { codeOf, within } from '#test/support/conform-harness.ts';

import { type Items, type Orders, itemFindings, orderFindings } from './expected.ts';
import type { AmazonPair } from './pairs.ts';

export interface JudgedPair {
  readonly pair: AmazonPair;
  /**
   * `own`: an operation of the connector. `model`: another operation, whose answer has the model of one of the connector's
   * and is decoded as that. `outside`: neither; the connector never gets such an answer.
   */
  readonly kind: 'own' | 'model' | 'outside';
  /** What is wrong; empty: nothing. */
  readonly findings: readonly string[];
}

interface Asked {
  readonly system: ConnectedSystem;
  /** Bodies of what was sent to the operation. */
  readonly sent: readonly { readonly url: URL; readonly body: string }[];
}

/** The operations of the connector and its readings of an answer, by model. */
const OWN: Readonly<Record<string, string>> = {
  'extinv.json': 'batchInventory',
  'listingsItems_2021-08-01.json': 'searchListingsItems',
  'orders_2026.json': 'searchOrders',
  'ordersV0.json': 'updateShipmentStatus',
};
const READERS: Readonly<Record<string, (pair: AmazonPair) => Promise<readonly string[]>>> = {
  batchInventory: readOffers,
  searchListingsItems: readListings,
  searchOrders: readOrders,
  updateShipmentStatus: readStep,
};

/** How the connector takes one pair. */
export async function judgePair(pair: AmazonPair): Promise<JudgedPair> {
  const own = OWN[pair.model] ?? '';
  const isOwn = own === pair.operation;
  const as = isOwn ? pair : asOwn(pair, own);
  const read = READERS[own];
  if (as === null || read === undefined) return { pair, kind: 'outside', findings: [] };
  return { pair, kind: isOwn ? 'own' : 'model', findings: await read(as) };
}

/** The same as an answer of the connector's own operation of that model; null: it cannot be one. */
function asOwn(pair: AmazonPair, operation: string): AmazonPair | null {
  const { response, status, model } = pair;
  if (status >= 400) return { ...pair, operation, parameters: {} };
  if (status === 200 && pair.operation === 'getOrder' && model === 'orders_2026.json')
    return { ...pair, operation, response: { orders: [(response as { order: unknown }).order] } };
  if (status === 200 && pair.operation === 'getListingsItem')
    return { ...pair, operation, response: { numberOfResults: 1, items: [response] } };
  return null;
}

const TOKEN_PATH = '/auth/o2/token';

async function ask<R>(pair: AmazonPair, marketplaceId: string, use: (asked: Asked) => Promise<R>): Promise<R> {
  const sent: { url: URL; body: string }[] = [];
  const system = connectSystem(marketplaceAmazon, {
    config: systemConfig.parse({
      id: 'amazon',
      connector: 'marketplace-amazon',
      url: 'http://amazon.test',
      credentials: { clientId: 'c', clientSecret: 's', refreshToken: 'r' },
      options: { sellerId: 'SellerId', marketplaceId, rateFactor: 1_000 },
    }),
    clock: systemClock,
    logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    trace: () => {},
    fetch: async (input, init) => {
      const request = new Request(input, init);
      const url = new URL(request.url);
      if (url.pathname === TOKEN_PATH)
        return Response.json({ access_token: 'a', token_type: 'bearer', expires_in: 3_600 });
      sent.push({ url, body: await request.text() });
      if (pair.status === 204) return new Response(null, { status: 204 });
      return Response.json(pair.response, { status: pair.status });
    },
  });
  try {
    return await use({ system, sent });
  } finally {
    await system.close();
  }
}

async function readListings(pair: AmazonPair): Promise<readonly string[]> {
  const body = pair.response as Items;
  const marketplaces =
    pair.status < 400 ? new Set(body.items.flatMap((item) => item.summaries.map((s) => s.marketplaceId))) : ['invalid'];
  const found = await Promise.all(
    [...marketplaces].map(async (marketplaceId) =>
      ask(pair, marketplaceId, async ({ system }) =>
        refusedOr(pair, system.itemFeed?.readPage(null, within(5_000)), (page) =>
          itemFindings(body, marketplaceId, page),
        ),
      ),
    ),
  );
  return found.flat();
}

function readOrders(pair: AmazonPair): Promise<readonly string[]> {
  return ask(pair, 'A1F83G8C2ARO7P', async ({ system }) =>
    refusedOr(pair, system.orderFeed?.readPage(null, within(5_000)), (page) =>
      orderFindings(pair.response as Orders, page),
    ),
  );
}

/** An error pair must become the kit's error for a refused request, and never repeat what Amazon wrote. */
async function refusedOr<P>(
  pair: AmazonPair,
  reading: Promise<P> | undefined,
  judge: (page: P) => readonly string[],
): Promise<readonly string[]> {
  const result = await (reading ?? Promise.resolve(null)).catch((error: unknown) => error as Error);
  if (result === null) return ['there is no such port'];
  if (pair.status >= 400) return refusalFindings(pair, result);
  return result instanceof Error ? [`failed: ${codeOf(result)}`] : judge(result);
}

function refusalFindings(pair: AmazonPair, result: unknown): readonly string[] {
  if (codeOf(result) !== 'UPSTREAM_CONTRACT') return [`a refusal became ${codeOf(result)}`];
  const { errors = [] } = pair.response as { readonly errors?: readonly { readonly message: string }[] };
  const told = (result as Error).message;
  return errors.some(({ message }) => told.includes(message)) ? ["the error repeats Amazon's text"] : [];
}

interface BatchCall {
  readonly method: string;
  readonly uri: string;
  readonly body: {
    readonly quantity?: number;
    readonly clientSequenceNumber?: number;
    readonly marketplaceAttributes?: { readonly marketplaceId: string };
  };
}
interface BatchAnswer {
  readonly status: { readonly statusCode: number };
  readonly body: { readonly actionableErrors?: readonly { readonly errorType: string }[] };
}

/** Answers stand where the requests stood; of these the connector makes the updates itself, word for word. */
async function readOffers(pair: AmazonPair): Promise<readonly string[]> {
  const calls = (pair.parameters['body'] as { readonly requests: readonly BatchCall[] } | undefined)?.requests ?? [];
  const offers = calls.map(toOffer);
  const marketplaceId = calls.flatMap(({ body }) => body.marketplaceAttributes?.marketplaceId ?? [])[0] ?? 'X';
  return ask(pair, marketplaceId, async ({ system, sent }) => {
    const results = (await system.stockOfferSink?.publishOffers(offers, within(5_000))) ?? [];
    if (pair.status >= 400)
      return results.length === 0
        ? ['nothing was written']
        : results.flatMap((result) => refusalFindings(pair, result));
    const { responses } = pair.response as { readonly responses: readonly BatchAnswer[] };
    const emitted = sent.flatMap(
      ({ body }) => (JSON.parse(body) as { readonly requests: readonly BatchCall[] }).requests,
    );
    return [
      ...responses.flatMap((answer, index) => offerFindings(answer, results[index])),
      ...calls.flatMap((call, index) => (call.uri.includes('/update') ? callFindings(call, emitted[index]) : [])),
    ];
  });
}

function toOffer({ uri, body }: BatchCall): StockOffer {
  const { searchParams } = new URL(uri, 'http://amazon.test');
  return {
    externalId: searchParams.get('skuId') ?? '',
    locationExternalId: searchParams.get('locationId') ?? '',
    units: body.quantity ?? 0,
    sequence: body.clientSequenceNumber ?? 0,
  };
}

function offerFindings({ status, body }: BatchAnswer, result: unknown): readonly string[] {
  const [problem] = body.actionableErrors ?? [];
  const isDone = status.statusCode === 200 && problem === undefined;
  if (isDone) return (result as { kind?: string }).kind === 'DONE' ? [] : [`a done offer became ${codeOf(result)}`];
  if (codeOf(result) !== 'UPSTREAM_CONTRACT') return [`a refused offer became ${codeOf(result)}`];
  return (result as Error).message.includes(problem?.errorType ?? '') ? [] : ['the error does not say why'];
}

function callFindings(wanted: BatchCall, emitted: BatchCall | undefined): readonly string[] {
  const same = (call: BatchCall | undefined): string => {
    const { quantity, clientSequenceNumber, marketplaceAttributes } = call?.body ?? {};
    return JSON.stringify([
      call?.method,
      call?.uri,
      quantity,
      clientSequenceNumber,
      marketplaceAttributes?.marketplaceId,
    ]);
  };
  return same(wanted) === same(emitted) ? [] : ["the request is not that of Amazon's pair"];
}

async function readStep(pair: AmazonPair): Promise<readonly string[]> {
  const wanted = pair.parameters['body'] as { marketplaceId: string; shipmentStatus: string } | undefined;
  const step: OrderStep = { key: 'k', externalId: '902-1', state: 'READY_FOR_PICKUP' };
  return ask(pair, wanted?.marketplaceId ?? 'X', async ({ system, sent }) => {
    const [result] = (await system.orderStepSink?.writeSteps([step], within(5_000))) ?? [];
    const same = wanted === undefined || JSON.stringify(JSON.parse(sent[0]?.body ?? 'null')) === JSON.stringify(wanted);
    const findings = same ? [] : ["the request is not that of Amazon's pair"];
    if (pair.status >= 400) return [...findings, ...refusalFindings(pair, result)];
    return (result as { kind?: string } | undefined)?.kind === 'DONE'
      ? findings
      : [`a done step became ${codeOf(result)}`];
  });
}
