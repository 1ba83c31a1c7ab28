import { createHash } from 'node:crypto';

import type { ExtraSystem, Vendor, World, WorldProfile } from '#sandbox/world/types.ts';
import { z } from 'zod';

import { Refusal } from './refusal.ts';
import { matchRoute, operationName } from './route-table.ts';
import type { Route } from './route-table.ts';
import { structureOf } from './world-views.ts';

const KLAVIYO_API_KEY = 'pk_sandbox-klaviyo-key';
const REVISION = '2026-07-15';

interface Call {
  readonly request: Request;
  readonly world: World;
  readonly nowMs: number;
}

const ROUTES: readonly Route<Call>[] = [
  { method: 'GET', path: '/api/profiles', handle: getProfiles },
  { method: 'POST', path: '/api/profile-subscription-bulk-create-jobs', handle: (call) => runJob(call, 'SUBSCRIBED') },
  {
    method: 'POST',
    path: '/api/profile-subscription-bulk-delete-jobs',
    handle: (call) => runJob(call, 'UNSUBSCRIBED'),
  },
];

/** Klaviyo of the retailer: everybody the CRM has an address of, and what they agreed to. Bulk jobs are done at once. */
export function createKlaviyoVendor({ nowMs = Date.now }: { readonly nowMs?: () => number } = {}): Vendor<ExtraSystem> {
  return {
    system: 'email',
    connector: 'email-klaviyo',
    handler: (request, world) => answer({ request, world, nowMs: nowMs() }),
    credentials: { apiKey: KLAVIYO_API_KEY },
    options: { loyaltyNumberProperty: 'loyalty_number', testProperty: 'is_test', rateFactor: 1_000 },
    operationOf: (request) => operationName(ROUTES, request),
    rateLimited: () => refused(429, 'throttled', 'Request was throttled.', { 'retry-after': '1' }),
    failed: () => refused(500, 'error', 'A server error occurred.'),
  };
}

/** Klaviyo's id of a CRM profile. */
export function klaviyoIdOf({ externalId }: WorldProfile): string {
  return `01${createHash('sha256').update(`klaviyo ${externalId}`).digest('hex').slice(0, 24).toUpperCase()}`;
}

interface Subscription {
  readonly consent: string;
  readonly at: string | null;
}

/** Decisions written since, by `channel address`. */
const written = new WeakMap<World, Map<string, Subscription>>();

async function answer(call: Call): Promise<Response> {
  const { headers } = call.request;
  if (headers.get('authorization') !== `Klaviyo-API-Key ${KLAVIYO_API_KEY}`) {
    return refused(401, 'not_authenticated', 'Missing or invalid private key.');
  }
  if (headers.get('revision') !== REVISION) return refused(400, 'invalid', 'The revision header is missing.');
  const found = matchRoute(ROUTES, call.request.method, new URL(call.request.url).pathname);
  if (found === null) return refused(404, 'not_found', 'There is no such operation.');
  try {
    return await found.route.handle(call, found.parameters);
  } catch (error) {
    if (error instanceof Refusal) return error.response;
    throw error;
  }
}

function refused(status: number, code: string, detail: string, headers: Record<string, string> = {}): Response {
  const errors = [{ id: '0b0e9d3c-6a53-4a6c-9d52-7f0a5a1a1a1a', code, title: detail, detail }];
  return jsonApi({ errors }, status, headers);
}

function jsonApi(body: object, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/vnd.api+json', ...headers },
  });
}

/** Everybody with an address, oldest change first. */
function peopleOf(world: World): readonly { readonly id: string; readonly profile: WorldProfile }[] {
  return structureOf(world, 'klaviyo', ({ profiles }) =>
    profiles
      .filter(({ system, email }) => system === 'crm' && email !== null)
      .map((profile) => ({ id: klaviyoIdOf(profile), profile }))
      .toSorted((a, b) => compare(a.profile.updatedAt, b.profile.updatedAt) || compare(a.id, b.id)),
  );
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const badRequest = (detail: string): Refusal => new Refusal(refused(400, 'invalid', detail));

function getProfiles({ request, world }: Call): Response {
  const url = new URL(request.url);
  const query = url.searchParams;
  const size = Number(query.get('page[size]') ?? 20);
  if (!(size >= 1 && size <= 100)) throw badRequest('page[size] must be between 1 and 100.');
  const matching = filtered(peopleOf(world), query.get('filter'));
  const start = startOf(query.get('page[cursor]'), matching.length);
  const rows = matching.slice(start, start + size);
  const withSubscriptions = (query.get('additional-fields[profile]') ?? '').split(',').includes('subscriptions');
  url.searchParams.set('page[cursor]', Buffer.from(`next::${start + size}`).toString('base64url'));
  const next = start + size < matching.length ? { next: url.href } : {};
  return jsonApi({
    data: rows.map(({ id, profile }) =>
      toResource(id, profile, withSubscriptions ? subscriptionsOf(world, profile) : null),
    ),
    links: { self: request.url, ...next },
  });
}

function startOf(cursor: string | null, length: number): number {
  if (cursor === null) return 0;
  const start = Number(/^next::(\d{1,9})$/.exec(Buffer.from(cursor, 'base64url').toString())?.[1] ?? Number.NaN);
  if (!(start >= 0 && start <= length)) throw badRequest('page[cursor] is not valid.');
  return start;
}

type People = ReturnType<typeof peopleOf>;
const anyOf = z.array(z.string()).max(100);

function filtered(people: People, filter: string | null): People {
  if (filter === null) return people;
  const since = /^greater-than\(updated,([\d:.TZ+-]+)\)$/.exec(filter)?.[1];
  if (since !== undefined) return people.filter(({ profile }) => Date.parse(profile.updatedAt) > Date.parse(since));
  const [, field, list = ''] = /^any\((id|email),(\[.*\])\)$/.exec(filter) ?? [];
  if (field === undefined) throw badRequest('The filter is not valid.');
  const wanted = new Set(readList(list));
  return people.filter(({ id, profile }) => wanted.has(field === 'id' ? id : (profile.email ?? '')));
}

function readList(list: string): readonly string[] {
  try {
    return anyOf.parse(JSON.parse(list));
  } catch {
    throw badRequest('The filter is not valid.');
  }
}

function toResource(id: string, profile: WorldProfile, subscriptions: object | null): object {
  const { address } = profile;
  return {
    type: 'profile',
    id,
    attributes: {
      email: profile.email,
      phone_number: profile.phone,
      first_name: profile.givenName,
      last_name: profile.familyName,
      created: profile.createdAt,
      updated: profile.updatedAt,
      location: {
        address1: address?.street ?? null,
        city: address?.city ?? null,
        country: address?.country ?? null,
        zip: address?.postalCode ?? null,
      },
      properties: { loyalty_number: profile.loyaltyNumber, is_test: profile.isTest },
      ...(subscriptions === null ? {} : { subscriptions }),
    },
    links: { self: `https://a.klaviyo.com/api/profiles/${id}/` },
  };
}

/** A decision of the ledger's past, unless a job has changed it since. */
function subscriptionsOf(world: World, profile: WorldProfile): object {
  const past = world.consents.findLast(
    ({ system, externalId, purpose }) =>
      system === 'crm' && externalId === profile.externalId && purpose === 'MARKETING',
  );
  const fromPast: Subscription =
    past === undefined
      ? { consent: 'NEVER_SUBSCRIBED', at: null }
      : { consent: past.decision === 'GRANT' ? 'SUBSCRIBED' : 'UNSUBSCRIBED', at: past.at };
  const stateOf = (channel: string, address: string | null): Subscription =>
    written.get(world)?.get(`${channel} ${address}`) ??
    (channel === 'email' ? fromPast : { consent: 'NEVER_SUBSCRIBED', at: null });
  const [email, sms] = [stateOf('email', profile.email), stateOf('sms', profile.phone)];
  return {
    email: {
      marketing: {
        can_receive_email_marketing: email.consent === 'SUBSCRIBED',
        consent: email.consent,
        consent_timestamp: email.at,
      },
    },
    sms: {
      marketing: {
        can_receive_sms_marketing: sms.consent === 'SUBSCRIBED',
        consent: sms.consent,
        consent_timestamp: sms.at,
      },
    },
  };
}

const channelInput = z.object({ marketing: z.object({ consent: z.string() }) }).optional();
const job = z.object({
  data: z.object({
    type: z.string(),
    attributes: z.object({
      profiles: z.object({
        data: z.array(
          z.object({
            type: z.literal('profile'),
            attributes: z.object({
              email: z.string().optional(),
              phone_number: z.string().optional(),
              subscriptions: z.object({ email: channelInput, sms: channelInput }),
            }),
          }),
        ),
      }),
    }),
  }),
});

async function runJob({ request, world, nowMs }: Call, consent: 'SUBSCRIBED' | 'UNSUBSCRIBED'): Promise<Response> {
  if (request.headers.get('content-type') !== 'application/vnd.api+json') {
    return refused(415, 'unsupported_media_type', 'Send application/vnd.api+json.');
  }
  const parsed = job.safeParse(await request.json().catch(() => null));
  if (!parsed.success) return refused(400, 'invalid', 'The job is not valid.');
  const profiles = parsed.data.data.attributes.profiles.data;
  if (profiles.length > (consent === 'SUBSCRIBED' ? 1_000 : 100)) return refused(400, 'invalid', 'Too many profiles.');
  const decisions = written.get(world) ?? new Map<string, Subscription>();
  written.set(world, decisions);
  const at = new Date(nowMs).toISOString();
  for (const { attributes } of profiles) {
    const { email, phone_number: phone, subscriptions } = attributes;
    if (subscriptions.email !== undefined && email !== undefined) decisions.set(`email ${email}`, { consent, at });
    if (subscriptions.sms !== undefined && phone !== undefined) decisions.set(`sms ${phone}`, { consent, at });
  }
  return new Response(null, { status: 202 });
}
