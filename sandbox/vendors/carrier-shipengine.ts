import { createHash } from 'node:crypto';

import type { ExtraSystem, Vendor, World, WorldOrder, WorldPlace } from '#sandbox/world/types.ts';
import { z } from 'zod';

import { Refusal } from './refusal.ts';
import { matchRoute, operationName } from './route-table.ts';
import type { Route } from './route-table.ts';

const SHIPENGINE_API_KEY = 'TEST_sandbox-shipengine-key';
/** The retailer's connections: one carrier of parcels, one of lockers. */
const CARRIERS = [
  { id: 'se-1001', code: 'royal_mail', name: 'Royal Mail', service: 'royal_mail_tracked_48', pence: 395, days: 2 },
  { id: 'se-1002', code: 'dpd', name: 'DPD', service: 'dpd_next_day', pence: 720, days: 1 },
] as const;

interface Call {
  readonly request: Request;
  readonly world: World;
  readonly nowMs: number;
}

const ROUTES: readonly Route<Call>[] = [
  { method: 'GET', path: '/v1/carriers', handle: listCarriers },
  { method: 'POST', path: '/v1/rates/estimate', handle: estimate },
  { method: 'GET', path: '/v1/tracking', handle: track },
  { method: 'POST', path: '/v1/service_points/list', handle: listServicePoints },
];

/** Carriers behind ShipEngine: rates by weight, parcels of shipped orders, the stores as service points. */
export function createShipengineVendor({
  nowMs = Date.now,
}: { readonly nowMs?: () => number } = {}): Vendor<ExtraSystem> {
  return {
    system: 'carrier',
    connector: 'carrier-shipengine',
    handler: (request, world) => answer({ request, world, nowMs: nowMs() }),
    credentials: { apiKey: SHIPENGINE_API_KEY },
    options: { carrierIds: CARRIERS.map(({ id }) => id), rateFactor: 1_000 },
    operationOf: (request) => operationName(ROUTES, request),
    rateLimited: () => failed(429, 'rate_limit_exceeded', 'You have exceeded the rate limit.'),
    failed: () => failed(500, 'unknown', 'Something went wrong.'),
  };
}

/** The number on the parcel of a shipped order. */
export function trackingNumberOf({ orderNumber }: WorldOrder): string {
  return `TR${createHash('sha256').update(orderNumber).digest('hex').slice(0, 14).toUpperCase()}GB`;
}

async function answer(call: Call): Promise<Response> {
  if (call.request.headers.get('api-key') !== SHIPENGINE_API_KEY) {
    return failed(401, 'unauthorized', 'The API key is invalid.');
  }
  const found = matchRoute(ROUTES, call.request.method, new URL(call.request.url).pathname);
  if (found === null) return failed(404, 'unspecified', 'There is no such operation.');
  try {
    return await found.route.handle(call, found.parameters);
  } catch (error) {
    if (error instanceof Refusal) return error.response;
    throw error;
  }
}

function failed(status: number, code: string, message: string): Response {
  const errors = [{ error_source: 'shipengine', error_type: 'business_rules', error_code: code, message }];
  return Response.json({ request_id: '0b0e9d3c-6a53-4a6c-9d52-7f0a5a1a1a1a', errors }, { status });
}

async function readJson<B>(request: Request, schema: z.ZodType<B>): Promise<B> {
  const text = await request.text();
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new Refusal(failed(400, 'invalid_field_value', 'The body is not valid.'));
  }
}

function listCarriers(): Response {
  const carriers = CARRIERS.map(({ id, code, name }) => ({ carrier_id: id, carrier_code: code, friendly_name: name }));
  return Response.json({ carriers });
}

const text = z.string().min(1);
const estimateBody = z.object({
  carrier_ids: z.array(text).min(1),
  from_country_code: text,
  from_postal_code: text,
  from_city_locality: text,
  from_state_province: text,
  to_country_code: text,
  to_postal_code: text,
  to_city_locality: text,
  to_state_province: text,
  weight: z.object({ value: z.number().positive(), unit: z.literal('gram') }),
  ship_date: z.string(),
});

/** Postal codes that begin with a digit or letter of a place: the fake delivers to codes of the United Kingdom only. */
const DELIVERED_TO = /^[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}$/;

async function estimate({ request }: Call): Promise<Response> {
  const body = await readJson(request, estimateBody);
  if (!DELIVERED_TO.test(body.to_postal_code)) return Response.json([]);
  const pounds = (pence: number) => ({ currency: 'gbp', amount: pence / 100 });
  const shipAt = Date.parse(body.ship_date);
  if (Number.isNaN(shipAt)) return failed(400, 'invalid_field_value', 'ship_date is not a date.');
  const rates = CARRIERS.filter(({ id }) => body.carrier_ids.includes(id)).map((carrier) => ({
    rate_type: 'shipment',
    carrier_id: carrier.id,
    shipping_amount: pounds(carrier.pence + Math.ceil(body.weight.value / 1_000) * 45),
    insurance_amount: pounds(0),
    confirmation_amount: pounds(0),
    other_amount: pounds(25),
    tax_amount: pounds(Math.round(carrier.pence * 0.2)),
    zone: null,
    package_type: null,
    delivery_days: carrier.days,
    guaranteed_service: carrier.days === 1,
    estimated_delivery_date: new Date(shipAt + carrier.days * 86_400_000).toISOString(),
    carrier_delivery_days: String(carrier.days),
    ship_date: new Date(shipAt).toISOString(),
    negotiated_rate: false,
    service_type: carrier.service.replaceAll('_', ' '),
    service_code: carrier.service,
    trackable: true,
    carrier_code: carrier.code,
    carrier_nickname: carrier.name,
    carrier_friendly_name: carrier.name,
    validation_status: 'valid',
    warning_messages: [],
    error_messages: [],
  }));
  return Response.json(rates);
}

const SHIPPED: ReadonlySet<string> = new Set(['shipped', 'delivered']);

function track({ request, world }: Call): Response {
  const query = new URL(request.url).searchParams;
  const [carrier, number] = [query.get('carrier_code') ?? '', query.get('tracking_number') ?? ''];
  if (carrier === '' || number === '') return failed(400, 'field_value_required', 'carrier_code and tracking_number');
  const order = world.orders.find((entry) => SHIPPED.has(entry.stage) && trackingNumberOf(entry) === number);
  if (order === undefined || carrier !== CARRIERS[0].code) {
    return failed(404, 'unspecified', 'The carrier does not know this number.');
  }
  const isDelivered = order.stage === 'delivered';
  const event = (at: string, status: string, description: string) => ({
    occurred_at: at,
    description,
    city_locality: 'Leeds',
    state_province: 'Yorkshire',
    postal_code: 'LS1 1AA',
    country_code: 'GB',
    carrier_detail_code: status,
    status_code: status,
    status_description: description,
    carrier_status_code: status,
    carrier_status_description: description,
    ...(status === 'DE' ? { signer: 'A Neighbor' } : {}),
  });
  return Response.json({
    tracking_number: number,
    tracking_url: `https://tracking.example/${encodeURIComponent(number)}`,
    carrier_id: 1001,
    carrier_status_code: isDelivered ? 'DE' : 'IT',
    carrier_detail_code: isDelivered ? 'DE' : 'IT',
    status_code: isDelivered ? 'DE' : 'IT',
    status_description: isDelivered ? 'Delivered' : 'In Transit',
    carrier_code: carrier,
    ship_date: order.placedAt,
    ...(isDelivered ? { actual_delivery_date: order.updatedAt } : {}),
    events: [
      ...(isDelivered ? [event(order.updatedAt, 'DE', 'Delivered')] : []),
      event(order.placedAt, 'AC', 'Accepted by the carrier'),
    ],
  });
}

const pointsBody = z.object({
  address: z.object({ country_code: text, postal_code: text }),
  providers: z.array(z.object({ carrier_id: text })).min(1),
  radius: z.number().int().positive(),
  max_results: z.number().int().positive(),
});

const DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];

async function listServicePoints({ request, world }: Call): Promise<Response> {
  const body = await readJson(request, pointsBody);
  const stores = world.places.filter(({ kind }) => kind === 'STORE');
  const from = stores.find(({ postalCode }) => postalCode === body.address.postal_code);
  if (from === undefined || body.address.country_code !== 'GB') return Response.json({ service_points: [] });
  const near = stores
    .map((place) => ({ place, meters: metersBetween(from, place) }))
    .filter(({ meters }) => meters <= body.radius)
    .slice(0, body.max_results);
  return Response.json({
    lat: from.latitude,
    long: from.longitude,
    service_points: near.map(({ place, meters }, index) => toPoint(place, meters, index)),
  });
}

function toPoint(place: WorldPlace, meters: number, index: number): object {
  const hours = DAYS.map((day, weekday) => [
    day,
    place.openingPeriods
      .filter((period) => period.weekday === weekday + 1)
      .map(({ opensAt, closesAt }) => ({ open: opensAt, close: closesAt })),
  ]);
  return {
    carrier_code: CARRIERS[1].code,
    service_codes: [CARRIERS[1].service],
    service_point_id: `SP-${place.code}`,
    company_name: place.name,
    address_line1: place.street,
    city_locality: place.city,
    state_province: '',
    postal_code: place.postalCode,
    country_code: place.country,
    lat: place.latitude,
    long: place.longitude,
    distance_in_meters: meters,
    hours_of_operation: Object.fromEntries(hours),
    features: ['pickup_point'],
    type: index % 3 === 2 ? 'locker' : 'pudo',
  };
}

/** Good enough over a few kilometers. */
function metersBetween(a: WorldPlace, b: WorldPlace): number {
  const north = (b.latitude - a.latitude) * 111_320;
  const east = (b.longitude - a.longitude) * 111_320 * Math.cos((a.latitude * Math.PI) / 180);
  return Math.round(Math.hypot(north, east));
}
