import type { Vendor, World } from '#sandbox/world/types.ts';
import { fitsFilter, keysOfFilter, OdataError, parseFilter } from './erp-odata.ts';
import type { OdataFilter, OdataRow } from './erp-odata.ts';
import { GUEST_CUSTOMER, itemRows, orderRows } from './erp-records.ts';
import { createErpSubscriptions } from './erp-subscriptions.ts';
import type { ErpSubscriptions } from './erp-subscriptions.ts';
import { createErpTokens, ERP_CREDENTIALS } from './erp-token.ts';
import type { ErpTokens } from './erp-token.ts';
import { decodeCursor, encodeCursor, pageAfter } from './keyset.ts';
import type { Keyed } from './keyset.ts';
import { momentOf } from './world-views.ts';

export const ERP_COMPANY_ID = '5f0ac1a4-7d3e-4c55-9c51-0b0e4a7c2f10';
const ENVIRONMENT = 'production';
const TOKEN_PATH = '/oauth2/v2.0/token';
const BASE = `/v2.0/${ENVIRONMENT}/api/v2.0`;
const MAX_PAGE = 20_000;
const OPTIONS = new Set(['$filter', '$expand', '$orderby', '$top', '$select', '$skiptoken', '$count']);

interface EntitySet {
  readonly rows: (world: World) => readonly Keyed<OdataRow>[];
  readonly fields: ReadonlySet<string>;
  /** Navigation properties, served only when expanded. */
  readonly expandable: readonly string[];
}

const SETS: Readonly<Record<string, EntitySet>> = {
  items: {
    rows: itemRows,
    fields: new Set(['id', 'number', 'displayName', 'gtin', 'itemCategoryCode', 'lastModifiedDateTime']),
    expandable: [],
  },
  salesOrders: {
    rows: orderRows,
    fields: new Set([
      'id',
      'number',
      'externalDocumentNumber',
      'customerNumber',
      'status',
      'orderDate',
      'lastModifiedDateTime',
    ]),
    expandable: ['salesOrderLines'],
  },
};

/**
 * The ERP, in Business Central's wire format (API v2.0): companies, items, sales orders, behind Entra ID's client
 * credentials grant at `/oauth2/v2.0/token`. Pages by `Prefer: odata.maxpagesize` and `@odata.nextLink`.
 *
 * @param nowMs - the clock that ages tokens
 */
export function createErpVendor({ nowMs = Date.now }: { readonly nowMs?: () => number } = {}): Vendor {
  const tokens = createErpTokens();
  const subscriptions = createErpSubscriptions(`${BASE.slice(1)}/companies(${ERP_COMPANY_ID})`, odataError);
  return {
    system: 'erp',
    connector: 'erp-business-central',
    handler: (request, world) => answer(request, world, { tokens, subscriptions, nowMs: nowMs() }),
    credentials: { ...ERP_CREDENTIALS, clientState: 'sandbox-client-state' },
    options: {
      // The fake takes any number of calls: nobody need wait for it.
      rateFactor: 1_000,
      companyId: ERP_COMPANY_ID,
      environment: ENVIRONMENT,
      customerSystem: 'crm',
      guestCustomerNumber: GUEST_CUSTOMER,
      brandField: 'brand',
      productTypeField: 'productType',
      hazardousField: 'hazardous',
    },
    operationOf,
    webhooks: subscriptions.webhooks,
    // Business Central promises no Retry-After.
    rateLimited: () => odataError(429, 'Application_TooManyRequests', 'Too many requests.'),
    failed: () => odataError(503, 'Internal_ServerError', 'The service is temporarily unavailable.'),
  };
}

function operationOf(request: Request): string {
  const path = pathOf(request);
  if (path === TOKEN_PATH) return `${request.method} ${TOKEN_PATH}`;
  if (SUBSCRIPTION.test(path)) return `${request.method} /subscriptions`;
  const found = locate(path);
  if (found === null) return `${request.method} /unknown`;
  return `${request.method} /companies({id})/${found.name}${found.id === null ? '' : '({id})'}`.replace(/\/$/, '');
}

interface Located {
  /** Entity set; empty: the company itself. */
  readonly name: string;
  readonly id: string | null;
}

function locate(path: string): Located | null {
  if (!path.startsWith(`${BASE}/`)) return null;
  const rest = path.slice(BASE.length + 1);
  if (rest === 'companies' || rest === `companies(${ERP_COMPANY_ID})`) return { name: '', id: null };
  const match = /^companies\(([0-9a-f-]{36})\)\/(\w+)(?:\(([0-9a-f-]{36})\))?$/i.exec(rest);
  if (match === null || match[1]?.toLowerCase() !== ERP_COMPANY_ID) return null;
  return { name: match[2] ?? '', id: match[3]?.toLowerCase() ?? null };
}

interface Parts {
  readonly tokens: ErpTokens;
  readonly subscriptions: ErpSubscriptions;
  readonly nowMs: number;
}

/** `/subscriptions`, or one of them as `/subscriptions('id')`. */
const SUBSCRIPTION = new RegExp(`^${BASE.replaceAll('.', '\\.')}/subscriptions(?:\\('(\\w{1,100})'\\))?$`);

async function answer(request: Request, world: World, { tokens, subscriptions, nowMs }: Parts): Promise<Response> {
  const path = pathOf(request);
  if (request.method === 'POST' && path === TOKEN_PATH) return tokens.issue(request, nowMs);
  if (!tokens.isValid(request, nowMs)) {
    return odataError(401, 'Authentication_InvalidCredentials', 'The server has rejected the client credentials.');
  }
  const subscription = SUBSCRIPTION.exec(path);
  if (subscription !== null) return await subscriptions.handle(request, subscription[1] ?? null, nowMs);
  const found = locate(path);
  if (found === null) return odataError(404, 'BadRequest_ResourceNotFound', 'The requested resource does not exist.');
  if (request.method !== 'GET') return odataError(405, 'BadRequest_MethodNotAllowed', 'Method not allowed.');
  if (found.name === '') return companies(path);
  const set = Object.hasOwn(SETS, found.name) ? SETS[found.name] : undefined;
  if (set === undefined)
    return odataError(404, 'BadRequest_NotFound', `No HTTP resource was found for '${found.name}'.`);
  try {
    const query = readQuery(new URL(request.url), set);
    return found.id === null ? list(request, { world, set, query }) : one(world, set, { id: found.id, query });
  } catch (error) {
    if (error instanceof OdataError) return odataError(400, 'BadRequest', error.message);
    throw error;
  }
}

function companies(path: string): Response {
  const company = {
    id: ERP_COMPANY_ID,
    systemVersion: '27.0',
    name: 'MORTAR GOODS',
    displayName: 'Mortar Goods',
    businessProfileId: '',
  };
  return Response.json(path.endsWith('/companies') ? { value: [company] } : company);
}

interface Query {
  readonly filter: OdataFilter | null;
  readonly filterText: string | null;
  readonly direction: 'ASC' | 'DESC';
  readonly top: number | null;
  readonly expand: readonly string[];
  readonly select: readonly string[];
  readonly skipToken: string | null;
  readonly url: URL;
}

function readQuery(url: URL, set: EntitySet): Query {
  for (const name of url.searchParams.keys()) {
    if (name.startsWith('$') && !OPTIONS.has(name))
      throw new OdataError(`The query option '${name}' is not supported.`);
  }
  const filterText = url.searchParams.get('$filter');
  const order = url.searchParams.get('$orderby') ?? 'lastModifiedDateTime';
  const sorted = /^lastModifiedDateTime(?: (asc|desc))?$/.exec(order.trim());
  if (sorted === null) throw new OdataError(`Sorting by '${order}' is not supported.`);
  const topText = url.searchParams.get('$top');
  if (topText !== null && !/^\d{1,6}$/.test(topText)) throw new OdataError("Invalid value for '$top'.");
  const expand = words(url.searchParams.get('$expand'));
  const odd = expand.find((name) => !set.expandable.includes(name));
  if (odd !== undefined) throw new OdataError(`Could not find a property named '${odd}'.`);
  return {
    filter: filterText === null ? null : parseFilter(filterText, set.fields),
    filterText,
    direction: sorted[1] === 'desc' ? 'DESC' : 'ASC',
    top: topText === null ? null : Number(topText),
    expand,
    select: words(url.searchParams.get('$select')),
    skipToken: url.searchParams.get('$skiptoken'),
    url,
  };
}

function list(request: Request, { world, set, query }: { world: World; set: EntitySet; query: Query }): Response {
  const found = select(world, set, query.filter);
  const rows = query.direction === 'ASC' ? found : found.toReversed();
  const identity = [query.filterText, query.direction];
  const start = query.skipToken === null ? null : decodeCursor(query.skipToken, identity);
  if (query.skipToken !== null && start === null) throw new OdataError("Invalid value for '$skiptoken'.");
  const wanted = Number(/odata\.maxpagesize=(\d{1,6})/.exec(request.headers.get('prefer') ?? '')?.[1] ?? MAX_PAGE);
  const size = Math.min(Math.max(1, wanted), MAX_PAGE, query.top ?? MAX_PAGE);
  const page = pageAfter(rows, start, size, query.direction);
  const left = query.top === null ? null : query.top - page.values.length;
  const more = page.next !== null && left !== 0;
  return Response.json({
    '@odata.context': `${query.url.origin}${BASE}/$metadata#companies(${ERP_COMPANY_ID})`,
    value: page.values.map((row) => shape(row, set, query)),
    ...(more && page.next !== null
      ? { '@odata.nextLink': nextLink(query, encodeCursor(page.next, identity), left) }
      : {}),
  });
}

function nextLink({ url }: Query, token: string, left: number | null): string {
  const link = new URL(url);
  link.searchParams.set('$skiptoken', token);
  if (left !== null) link.searchParams.set('$top', String(left));
  return link.href;
}

/** The rows a filter keeps, oldest change first; a list of keys is looked up instead of searched for. */
function select(world: World, set: EntitySet, filter: OdataFilter | null): readonly Keyed<OdataRow>[] {
  const rows = set.rows(world);
  if (filter === null) return rows;
  const keys = keysOfFilter(filter, ['id', 'number']);
  if (keys === null) return rows.filter(({ value }) => fitsFilter(value, filter));
  const index = keysOf(world, set);
  const found = new Set(keys.flatMap(({ field, value }) => index.get(`${field} ${value.toUpperCase()}`) ?? []));
  return [...found].toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
}

function keysOf(world: World, set: EntitySet): ReadonlyMap<string, Keyed<OdataRow>> {
  const [name = ''] = Object.entries(SETS).find(([, known]) => known === set) ?? [];
  return momentOf(world, `bc.keys.${name}`, () => {
    const entries = set.rows(world).flatMap((row): (readonly [string, Keyed<OdataRow>])[] => [
      [`id ${row.id.toUpperCase()}`, row],
      [`number ${String(row.value['number']).toUpperCase()}`, row],
    ]);
    return new Map(entries);
  });
}

function one(world: World, set: EntitySet, { id, query }: { readonly id: string; readonly query: Query }): Response {
  const row = keysOf(world, set).get(`id ${id.toUpperCase()}`);
  if (row === undefined) return odataError(404, 'BadRequest_NotFound', 'The requested entity does not exist.');
  return Response.json(shape(row.value, set, query));
}

function shape(row: OdataRow, { expandable }: EntitySet, { expand, select: fields }: Query): OdataRow {
  if (fields.length === 0 && expandable.every((name) => expand.includes(name))) return row;
  const served = Object.entries(row).filter(
    ([name]) =>
      (!expandable.includes(name) || expand.includes(name)) &&
      (fields.length === 0 || fields.includes(name) || expand.includes(name)),
  );
  return Object.fromEntries(served);
}

function words(text: string | null): readonly string[] {
  return (text ?? '')
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

function pathOf(request: Request): string {
  // Clients may write the parentheses of a key as %28 and %29.
  return new URL(request.url).pathname.replaceAll('%28', '(').replaceAll('%29', ')');
}

function odataError(status: number, code: string, message: string): Response {
  return Response.json({ error: { code, message } }, { status });
}
