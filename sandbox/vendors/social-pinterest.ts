import type { ExtraSystem, Vendor, World } from '#sandbox/world/types.ts';
import { z } from 'zod';

import { Refusal } from './refusal.ts';
import { matchRoute, operationName } from './route-table.ts';
import type { Route } from './route-table.ts';

const PINTEREST_TOKEN = 'pina_sandbox-pinterest-token';
const PINTEREST_AD_ACCOUNT = '549755885175';
/** The one customer list there is. */
export const PINTEREST_LIST = '643';
const RECIPIENT = 'pinterest';

interface Call {
  readonly request: Request;
  readonly world: World;
  readonly nowMs: number;
}

const LIST_PATH = '/v5/ad_accounts/{ad_account_id}/customer_lists/{customer_list_id}';
const ROUTES: readonly Route<Call>[] = [
  { method: 'GET', path: '/v5/pins', handle: listPins },
  { method: 'GET', path: LIST_PATH, handle: getList },
  { method: 'PATCH', path: LIST_PATH, handle: updateList },
];

/** Pinterest of the retailer: a pin for every listed product, and one customer list. The system's URL ends with `/v5`. */
export function createPinterestVendor({
  nowMs = Date.now,
}: { readonly nowMs?: () => number } = {}): Vendor<ExtraSystem> {
  return {
    system: 'social',
    connector: 'social-pinterest',
    handler: (request, world) => answer({ request, world, nowMs: nowMs() }),
    credentials: { accessToken: PINTEREST_TOKEN },
    options: { adAccountId: PINTEREST_AD_ACCOUNT, recipient: RECIPIENT, rateFactor: 1_000 },
    operationOf: (request) => operationName(ROUTES, request),
    rateLimited: () => refused(429, 8, 'You have exceeded your rate limit.'),
    failed: () => refused(500, 11, 'Something went wrong on our end.'),
  };
}

/** Hashed addresses in the customer list, with how often it was changed. */
interface Members {
  readonly hashes: Set<string>;
  batches: number;
  removed: number;
  updatedAtMs: number;
}
const lists = new WeakMap<World, Members>();

function membersOf(world: World): Members {
  const known = lists.get(world) ?? {
    hashes: new Set(),
    batches: 1,
    removed: 0,
    updatedAtMs: Date.parse(world.builtAt),
  };
  lists.set(world, known);
  return known;
}

/** The hashed addresses Pinterest was given, for tests. */
export function pinterestMembers(world: World): ReadonlySet<string> {
  return membersOf(world).hashes;
}

async function answer(call: Call): Promise<Response> {
  if (call.request.headers.get('authorization') !== `Bearer ${PINTEREST_TOKEN}`) {
    return refused(401, 2, 'Authentication failed.');
  }
  const found = matchRoute(ROUTES, call.request.method, new URL(call.request.url).pathname);
  if (found === null) return refused(404, 10, 'API method not found.');
  try {
    return await found.route.handle(call, found.parameters);
  } catch (error) {
    if (error instanceof Refusal) return error.response;
    throw error;
  }
}

function refused(status: number, code: number, message: string): Response {
  return Response.json({ code, message }, { status });
}

function listPins({ request, world }: Call): Response {
  const query = new URL(request.url).searchParams;
  const size = Number(query.get('page_size') ?? 25);
  if (!(size >= 1 && size <= 250)) return refused(400, 1, 'page_size must be between 1 and 250.');
  const pins = world.products.filter(({ sellerSku }) => sellerSku !== null);
  const bookmark = query.get('bookmark');
  const start = bookmark === null ? 0 : Number(Buffer.from(bookmark, 'base64url').toString());
  if (!Number.isInteger(start) || start < 0 || start > pins.length) return refused(400, 1, 'Invalid bookmark.');
  const rows = pins.slice(start, start + size);
  const next = start + size < pins.length ? Buffer.from(String(start + size)).toString('base64url') : null;
  return Response.json({
    items: rows.map(({ sku, title, category, updatedAt }) => ({
      id: String(BigInt(`0x${Buffer.from(sku).toString('hex').slice(-15)}`)),
      board_id: String(1_000 + Buffer.from(category).reduce((sum, byte) => sum + byte, 0)),
      title,
      description: null,
      link: `https://shop.example/products/${encodeURIComponent(sku)}`,
      created_at: updatedAt,
      creative_type: 'REGULAR',
      has_been_promoted: false,
      is_owner: true,
      is_standard: false,
    })),
    bookmark: next,
  });
}

type Parameters = Readonly<Record<string, string>>;

function knownList({ world }: Call, { ad_account_id: account, customer_list_id: list }: Parameters): Members {
  if (account === PINTEREST_AD_ACCOUNT && list === PINTEREST_LIST) return membersOf(world);
  throw new Refusal(refused(404, 4_196, 'Customer list not found.'));
}

function getList(call: Call, parameters: Parameters): Response {
  return listAnswer(knownList(call, parameters), call);
}

const update = z.strictObject({ operation_type: z.enum(['ADD', 'REMOVE']), records: z.string().min(1) });

async function updateList(call: Call, parameters: Parameters): Promise<Response> {
  const members = knownList(call, parameters);
  const parsed = update.safeParse(await call.request.json().catch(() => null));
  if (!parsed.success) return refused(400, 1, 'Invalid request.');
  for (const record of parsed.data.records.split(',')) {
    if (parsed.data.operation_type === 'ADD') members.hashes.add(record);
    else members.hashes.delete(record);
    if (parsed.data.operation_type === 'REMOVE') members.removed += 1;
  }
  members.batches += 1;
  members.updatedAtMs = call.nowMs;
  return listAnswer(members, call);
}

function listAnswer({ hashes, batches, removed, updatedAtMs }: Members, { world }: Call): Response {
  return Response.json({
    ad_account_id: PINTEREST_AD_ACCOUNT,
    id: PINTEREST_LIST,
    name: 'Customers who agreed',
    type: 'customerlist',
    status: hashes.size < 100 ? 'TOO_SMALL' : 'READY',
    created_time: Math.floor(Date.parse(world.builtAt) / 1_000),
    updated_time: Math.floor(updatedAtMs / 1_000),
    num_batches: batches,
    num_uploaded_user_records: hashes.size,
    num_removed_user_records: removed,
    exceptions: {},
  });
}
