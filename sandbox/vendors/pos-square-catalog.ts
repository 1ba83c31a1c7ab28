import { z } from 'zod';
import type { World, WorldPlace, WorldProduct } from '#sandbox/world/types.ts';
import { encodeCursor, pageAfter, sortKeyed } from './keyset.ts';
import type { Keyed } from './keyset.ts';
import type { Route } from './route-table.ts';
import {
  instant,
  readSquareBody,
  squareId,
  squarePosition,
  squareRefusal,
  toMoney,
  toVersion,
} from './pos-square-wire.ts';
import type { SquareCall } from './pos-square-wire.ts';
import { momentOf, structureOf } from './world-views.ts';

const SQUARE_MERCHANT_ID = 'MORTARSANDBOX';

/** Things the tills sell that no other system knows; one carries a code the ERP does not have. */
export const SQUARE_UNMATCHED_ITEMS = [
  { id: 'POSONLYBAG', name: 'Carrier bag', sku: null, priceMinor: 30 },
  { id: 'POSONLYWRAP', name: 'Gift wrapping', sku: 'TILL-WRAP', priceMinor: 350 },
  { id: 'POSONLYALTER', name: 'Alterations', sku: null, priceMinor: 1200 },
] as const;

interface CatalogObject {
  readonly type: 'ITEM' | 'ITEM_VARIATION';
  readonly id: string;
  readonly updated_at: string;
  readonly item_data?: { readonly name: string };
  readonly item_variation_data?: { readonly sku?: string; readonly upc?: string; readonly name: string };
}

const DAYS = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'];
const TYPES = new Set(['ITEM', 'ITEM_VARIATION']);
const LIST_PAGE = 100;
const MAX_SEARCH_PAGE = 1000;

const searchBody = z.strictObject({
  cursor: z.string().optional(),
  object_types: z.array(z.string().max(40)).optional(),
  include_deleted_objects: z.boolean().optional(),
  include_related_objects: z.boolean().optional(),
  begin_time: instant.optional(),
  query: z
    .strictObject({
      exact_query: z.strictObject({ attribute_name: z.string().min(1), attribute_value: z.string() }).optional(),
      set_query: z
        .strictObject({ attribute_name: z.string().min(1), attribute_values: z.array(z.string()).min(1).max(250) })
        .optional(),
    })
    .optional(),
  limit: z.int().optional(),
  include_category_path_to_root: z.boolean().optional(),
});

const batchBody = z.strictObject({
  object_ids: z.array(squareId).min(1).max(1000),
  include_related_objects: z.boolean().nullish(),
  catalog_version: z.int().nullish(),
  include_deleted_objects: z.boolean().nullish(),
  include_category_path_to_root: z.boolean().nullish(),
});

/** Locations and the catalog of the Square fake. */
export const squareCatalogRoutes: readonly Route<SquareCall>[] = [
  {
    method: 'GET',
    path: '/v2/locations',
    handle: ({ world }) => Response.json({ locations: stores(world).map(toLocation) }),
  },
  {
    method: 'GET',
    path: '/v2/locations/{location_id}',
    handle: (call, { location_id }) => oneLocation(call, location_id),
  },
  { method: 'GET', path: '/v2/catalog/list', handle: listCatalog },
  { method: 'POST', path: '/v2/catalog/search', handle: searchCatalog },
  { method: 'POST', path: '/v2/catalog/batch-retrieve', handle: batchRetrieve },
  {
    method: 'GET',
    path: '/v2/catalog/object/{object_id}',
    handle: (call, { object_id }) => oneObject(call, object_id),
  },
];

/** Stores by their Square location id. */
export function storesById(world: World): ReadonlyMap<string, WorldPlace> {
  return structureOf(
    world,
    'square.stores',
    () => new Map(stores(world).map((place) => [place.ids.pos as string, place])),
  );
}

/** Products by their Square variation id. */
export function productsByVariation(world: World): ReadonlyMap<string, WorldProduct> {
  const build = () =>
    new Map(world.products.flatMap((product) => (product.posVariationId ? [[product.posVariationId, product]] : [])));
  return structureOf(world, 'square.products', build);
}

function stores(world: World): readonly WorldPlace[] {
  return world.places.filter((place) => place.ids.pos !== undefined);
}

function oneLocation({ world }: SquareCall, id: string | undefined): Response {
  const place = id === 'main' ? stores(world)[0] : storesById(world).get(id ?? '');
  if (place === undefined) throw squareRefusal(404, 'NOT_FOUND', 'No such location', 'location_id');
  return Response.json({ location: toLocation(place) });
}

function toLocation(place: WorldPlace): object {
  return {
    id: place.ids.pos,
    name: place.name,
    address: {
      address_line_1: place.street,
      locality: place.city,
      postal_code: place.postalCode,
      country: place.country,
    },
    timezone: place.timeZone,
    capabilities: ['CREDIT_CARD_PROCESSING'],
    status: 'ACTIVE',
    created_at: '2020-01-06T09:00:00Z',
    merchant_id: SQUARE_MERCHANT_ID,
    country: place.country,
    language_code: 'en-GB',
    currency: 'GBP',
    business_name: place.name,
    type: 'PHYSICAL',
    business_hours: {
      periods: place.openingPeriods.map(({ weekday, opensAt, closesAt }) => ({
        day_of_week: DAYS[weekday - 1],
        start_local_time: `${opensAt}:00`,
        end_local_time: `${closesAt}:00`,
      })),
    },
    coordinates: { latitude: place.latitude, longitude: place.longitude },
  };
}

function listCatalog({ world, url }: SquareCall): Response {
  const types = (url.searchParams.get('types') || 'ITEM').split(',').map((type) => type.trim().toUpperCase());
  if (types.some((type) => !/^[A-Z_]{1,40}$/.test(type))) {
    throw squareRefusal(400, 'INVALID_ENUM_VALUE', 'Unknown catalog object type', 'types');
  }
  const query = ['list', types];
  const rows = catalog(world).filter(({ value }) => types.includes(value.type));
  return catalogPage(rows, squarePosition(url.searchParams.get('cursor'), query), LIST_PAGE, query);
}

async function searchCatalog(call: SquareCall): Promise<Response> {
  const { cursor, limit, ...query } = await readSquareBody(call, searchBody);
  const wanted = query.object_types ?? ['ITEM'];
  const after = query.begin_time === undefined ? -Infinity : Date.parse(query.begin_time);
  const rows = catalog(call.world).filter(
    ({ value, at }) => wanted.includes(value.type) && at > after && fits(value, query.query),
  );
  const size = limit !== undefined && limit >= 1 && limit <= MAX_SEARCH_PAGE ? limit : LIST_PAGE;
  const latest = catalog(call.world).at(-1);
  const extra = latest === undefined ? {} : { latest_time: latest.value.updated_at };
  return catalogPage(rows, squarePosition(cursor, query), size, query, extra);
}

// oxlint-disable-next-line max-params -- one page has a source, a start, a size and the query its cursor belongs to
function catalogPage(
  rows: readonly Keyed<CatalogObject>[],
  start: ReturnType<typeof squarePosition>,
  size: number,
  query: unknown,
  extra: object = {},
): Response {
  const { values, next } = pageAfter(rows, start, size);
  const cursor = next === null ? {} : { cursor: encodeCursor(next, query) };
  return Response.json({ ...(values.length === 0 ? {} : { objects: values }), ...cursor, ...extra });
}

function fits(object: CatalogObject, query: z.output<typeof searchBody>['query']): boolean {
  if (query?.exact_query !== undefined) {
    const { attribute_name: name, attribute_value: value } = query.exact_query;
    return attribute(object, name) === value.toLowerCase();
  }
  if (query?.set_query === undefined) return true;
  const { attribute_name: name, attribute_values: values } = query.set_query;
  const held = attribute(object, name);
  return held !== undefined && values.some((value) => value.toLowerCase() === held);
}

function attribute(object: CatalogObject, name: string): string | undefined {
  const from = object.item_variation_data ?? object.item_data;
  return (from as Readonly<Record<string, string | undefined>> | undefined)?.[name]?.toLowerCase();
}

async function batchRetrieve(call: SquareCall): Promise<Response> {
  const { object_ids: ids } = await readSquareBody(call, batchBody);
  const byId = catalogById(call.world);
  const objects = [...new Set(ids)].flatMap((id) => byId.get(id) ?? []);
  return Response.json(objects.length === 0 ? {} : { objects });
}

function oneObject({ world }: SquareCall, id: string | undefined): Response {
  const object = catalogById(world).get(id ?? '');
  if (object === undefined) throw squareRefusal(404, 'NOT_FOUND', 'No such catalog object', 'object_id');
  return Response.json({ object });
}

function catalogById(world: World): ReadonlyMap<string, CatalogObject> {
  return momentOf(world, 'square.catalogById', () => new Map(catalog(world).map(({ id, value }) => [id, value])));
}

/** Every catalog object, oldest change first. */
function catalog(world: World): readonly Keyed<CatalogObject>[] {
  return momentOf(world, 'square.catalog', () => {
    const products = world.products.flatMap((product) => (product.posVariationId ? objectsOf(product) : []));
    const unmatched = SQUARE_UNMATCHED_ITEMS.flatMap(({ id, name, sku, priceMinor }) =>
      pair({ variationId: id, name, sku, gtin: null, priceMinor, currency: 'GBP', updatedAt: world.builtAt }),
    );
    const rows = [...products, ...unmatched].filter(({ type }) => TYPES.has(type));
    return sortKeyed(rows.map((value) => ({ at: Date.parse(value.updated_at), id: value.id, value })));
  });
}

function objectsOf(product: WorldProduct): readonly CatalogObject[] {
  const { posVariationId, title, sku, gtin, storePriceMinor, currency, updatedAt } = product;
  const variationId = posVariationId as string;
  return pair({ variationId, name: title, sku, gtin, priceMinor: storePriceMinor, currency, updatedAt });
}

function pair(sold: {
  readonly variationId: string;
  readonly name: string;
  readonly sku: string | null;
  readonly gtin: string | null;
  readonly priceMinor: number;
  readonly currency: string;
  readonly updatedAt: string;
}): readonly CatalogObject[] {
  const itemId = `I-${sold.variationId}`;
  const shared = {
    updated_at: sold.updatedAt,
    version: toVersion(sold.updatedAt),
    is_deleted: false,
    present_at_all_locations: true,
  };
  const variation = {
    ...shared,
    type: 'ITEM_VARIATION' as const,
    id: sold.variationId,
    item_variation_data: {
      item_id: itemId,
      name: 'Regular',
      ...(sold.sku === null ? {} : { sku: sold.sku }),
      ...(sold.gtin === null ? {} : { upc: sold.gtin }),
      ordinal: 0,
      pricing_type: 'FIXED_PRICING',
      price_money: toMoney(sold.priceMinor, sold.currency),
      track_inventory: sold.sku !== null,
      sellable: true,
      stockable: true,
    },
  };
  const itemData = { name: sold.name.slice(0, 512), product_type: 'REGULAR', variations: [variation] };
  return [{ ...shared, type: 'ITEM' as const, id: itemId, item_data: itemData }, variation];
}
