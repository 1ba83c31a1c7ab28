import { z } from 'zod';

import type { BatchReadDefinition } from '#connectors/kit/definition.ts';
import type { RateDraft } from '#connectors/kit/draft.ts';
import { readRows, rows } from '#connectors/kit/rows.ts';
import { instantOf, sumOf, textOf } from '#connectors/kit/text.ts';
import type { Money } from '#schema/model/figures.ts';
import type { RateQuery } from '#schema/model/shipping.ts';

import type { ShipengineSettings } from './settings.ts';

const money = z.object({ currency: z.string(), amount: z.number() });
const rate = z.object({
  carrier_id: z.string(),
  carrier_code: z.string(),
  service_code: z.string().min(1),
  service_type: z.string().nullish(),
  shipping_amount: money,
  insurance_amount: money,
  confirmation_amount: money,
  other_amount: money,
  tax_amount: money.nullish(),
  delivery_days: z.number().int().nullish(),
  estimated_delivery_date: z.string().nullish(),
  guaranteed_service: z.boolean().nullish(),
  trackable: z.boolean().nullish(),
  validation_status: z.string().nullish(),
});
type Rate = z.infer<typeof rate>;

const answer = rows;
type Answer = z.infer<typeof answer>;

/** All parts of the price; null when they are in several currencies, which no sum can say. */
function totalOf(row: Rate): Money | null {
  return sumOf(
    [row.shipping_amount, row.insurance_amount, row.confirmation_amount, row.other_amount, row.tax_amount]
      .filter((part) => part !== null && part !== undefined)
      .map(({ amount, currency }) => ({ amount, currency })),
  );
}

function decodeRate(row: Rate, asOf: string): readonly RateDraft[] {
  const total = totalOf(row);
  // An invalid rate is one the carrier would not sell.
  if (row.validation_status === 'invalid' || total === null) return [];
  return [
    {
      externalId: row.service_code,
      carrier: row.carrier_code,
      service: textOf(row.service_type),
      total,
      deliveryDays: row.delivery_days ?? null,
      estimatedDeliveryAt: instantOf(row.estimated_delivery_date),
      guaranteed: row.guaranteed_service ?? false,
      trackable: row.trackable ?? false,
      stamp: { asOf, reference: row.service_code, sequence: null },
    },
  ];
}

/** The query as one text: what a rate depends on. Empty, which asks for nothing, when a part of a place is missing. */
function rateKey({ from, to, weightGrams, sizeMillimeters, shipAt }: RateQuery): string {
  const ends = [from, to].flatMap(({ country, postalCode, city, region }) => [country, postalCode, city, region]);
  if (ends.includes('')) return '';
  const size = sizeMillimeters === null ? [] : [sizeMillimeters.length, sizeMillimeters.width, sizeMillimeters.height];
  return [...ends, weightGrams, size.join('x'), shipAt].map((part) => String(part).replaceAll('|', '||')).join(' | ');
}

/** Cheapest first within a currency, currencies in the order they came: no bare number compares two of them. */
function rank(rates: readonly RateDraft[]): readonly RateDraft[] {
  const groups = Map.groupBy(rates, ({ total }) => total.currency);
  return [...groups.values()].flatMap((own) => own.toSorted((a, b) => Number(a.total.amount) - Number(b.total.amount)));
}

/** Estimated rates of every configured carrier. One parcel a call: `/v1/rates/bulk` needs shipments that exist. */
export const ratesFor: BatchReadDefinition<RateQuery, readonly RateDraft[], ShipengineSettings, Answer> = {
  max: 1,
  // ShipEngine asks every carrier before it answers.
  timeoutMs: 3_000,
  keyOf: rateKey,
  request: ([query], { settings }) => ({
    operation: 'estimate_rates',
    method: 'POST',
    path: '/v1/rates/estimate',
    json: query === undefined ? {} : bodyOf(query, settings),
  }),
  page: answer,
  decode: (bodies, keys, { nowMs }) => {
    const asOf = new Date(nowMs).toISOString();
    const { values, rejected } = readRows(rate, bodies[0] ?? [], (row) => decodeRate(row, asOf));
    const cheapestFirst = rank(values.flat());
    // Rates that cannot be read are left out: the others are still offers.
    const isEmpty = rejected > 0 && cheapestFirst.length === 0;
    return { values: isEmpty ? new Map() : new Map(keys.map((key) => [rateKey(key), cheapestFirst])), rejected };
  },
  absent: [],
  freshnessMs: 15 * 60_000,
};

function bodyOf({ from, to, weightGrams, sizeMillimeters, shipAt }: RateQuery, settings: ShipengineSettings): object {
  const size = sizeMillimeters;
  return {
    carrier_ids: settings.carrierIds,
    from_country_code: from.country,
    from_postal_code: from.postalCode,
    from_city_locality: from.city,
    from_state_province: from.region,
    to_country_code: to.country,
    to_postal_code: to.postalCode,
    to_city_locality: to.city,
    to_state_province: to.region,
    weight: { value: weightGrams, unit: 'gram' },
    ...(size === null
      ? {}
      : {
          dimensions: {
            unit: 'centimeter',
            length: size.length / 10,
            width: size.width / 10,
            height: size.height / 10,
          },
        }),
    ship_date: shipAt,
  };
}
