import { z } from 'zod';
import { forget } from '#sandbox/world/forget.ts';
import type { Vendor, World } from '#sandbox/world/types.ts';
import {
  contactsByEmail,
  contactsById,
  contactsInOrder,
  DEFAULT_PROPERTIES,
  idPosition,
  toContact,
} from './crm-hubspot-contact.ts';
import { HUBSPOT_MARKETING_ID, hubspotPreferenceRoutes } from './crm-hubspot-preferences.ts';
import { searchContacts } from './crm-hubspot-search.ts';
import { HUBSPOT_CLIENT_SECRET, hubspotWebhooks } from './crm-hubspot-webhooks.ts';
import { hubspotError, hubspotJson, hubspotRefusal, readHubspotBody } from './crm-hubspot-wire.ts';
import type { HubspotCall } from './crm-hubspot-wire.ts';
import { pageAfter } from './keyset.ts';
import { Refusal } from './refusal.ts';
import { matchRoute, operationName } from './route-table.ts';
import type { Route } from './route-table.ts';

const TOKEN = 'pat-sandbox-hubspot';
const MAX_PAGE = 100;
const names = z.array(z.string().max(200)).max(500);
const batchBody = z.object({
  inputs: z
    .array(z.object({ id: z.string().min(1).max(320) }))
    .min(1)
    .max(100),
  properties: names,
  propertiesWithHistory: names,
  idProperty: z.string().max(200).optional(),
});

const ROUTES: readonly Route<HubspotCall>[] = [
  { method: 'POST', path: '/crm/v3/objects/contacts/batch/read', handle: batchRead },
  { method: 'POST', path: '/crm/v3/objects/contacts/search', handle: searchContacts },
  { method: 'POST', path: '/crm/v3/objects/contacts/gdpr-delete', handle: erase },
  { method: 'GET', path: '/crm/v3/objects/contacts', handle: list },
  {
    method: 'GET',
    path: '/crm/v3/objects/contacts/{contactId}',
    handle: (call, { contactId }) => one(call, contactId),
  },
  ...hubspotPreferenceRoutes,
];

/**
 * The CRM, in HubSpot's wire format (objects API v3, contacts): batch read, list, one, search, erasure; e-mail preferences (v4). Properties are texts;
 * lists are separated by semicolons; the retailer's own properties are `loyalty_number`, `email_verified`, `is_test`,
 * `do_not_link` and `preferred_{brands,categories,sizes}`.
 *
 * @param nowMs - the clock that stamps batch answers
 */
export function createHubspotVendor({ nowMs = Date.now }: { readonly nowMs?: () => number } = {}): Vendor {
  return {
    system: 'crm',
    connector: 'crm-hubspot',
    handler: (request, world) => answer(request, world, nowMs),
    credentials: { token: TOKEN, clientSecret: HUBSPOT_CLIENT_SECRET },
    options: {
      // The fake takes any number of calls: nobody need wait for it.
      rateFactor: 1_000,
      marketingSubscriptionId: HUBSPOT_MARKETING_ID,
    },
    operationOf: (request) => operationName(ROUTES, request),
    webhooks: hubspotWebhooks,
    rateLimited: () =>
      hubspotError(429, 'RATE_LIMITS', 'You have reached your ten_secondly_rolling limit.', {
        errorType: 'RATE_LIMIT',
        policyName: 'TEN_SECONDLY_ROLLING',
      }),
    failed: () => hubspotError(500, 'INTERNAL_ERROR', 'internal error'),
  };
}

async function answer(request: Request, world: World, nowMs: () => number): Promise<Response> {
  if (request.headers.get('authorization') !== `Bearer ${TOKEN}`) {
    return hubspotError(401, 'INVALID_AUTHENTICATION', 'Authentication credentials not found.');
  }
  const url = new URL(request.url);
  const found = matchRoute(ROUTES, request.method, url.pathname);
  if (found === null) return hubspotError(404, 'OPERATION_NOT_FOUND', 'There is no such operation.');
  try {
    return await found.route.handle({ request, url, world, nowMs: nowMs() }, found.parameters);
  } catch (error) {
    if (error instanceof Refusal) return error.response;
    throw error;
  }
}

/** 200 when every input was found, 207 with one error naming the missing ids otherwise. */
async function batchRead(call: HubspotCall): Promise<Response> {
  const body = await readHubspotBody(call, batchBody);
  const find = finder(call.world, body.idProperty);
  const ids = [...new Set(body.inputs.map(({ id }) => id))];
  const found = new Set(ids.flatMap((id) => find(id) ?? []));
  const missing = ids.filter((id) => find(id) === undefined);
  const at = new Date(call.nowMs).toISOString();
  const complete = {
    status: 'COMPLETE',
    results: [...found].map((profile) => toContact(profile, body.properties, body.propertiesWithHistory)),
    startedAt: at,
    completedAt: at,
  };
  if (missing.length === 0) return hubspotJson(complete);
  const errors = [
    {
      status: 'error',
      category: 'OBJECT_NOT_FOUND',
      message: 'Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid.',
      context: { ids: missing },
      links: {},
      errors: [],
    },
  ];
  return hubspotJson({ ...complete, numErrors: errors.length, errors }, 207);
}

const eraseBody = z.object({ objectId: z.string().min(1).max(320), idProperty: z.string().max(200).optional() });

/** Erased for good: no system of this retailer's CRM tells of the contact any more. */
async function erase(call: HubspotCall): Promise<Response> {
  const { objectId, idProperty } = await readHubspotBody(call, eraseBody);
  const { world } = call;
  const profile = finder(world, idProperty)(objectId);
  if (profile === undefined) return hubspotError(404, 'OBJECT_NOT_FOUND', 'resource not found');
  forget(world, profile);
  return new Response(null, { status: 204 });
}

function finder(world: World, idProperty: string | undefined) {
  if (idProperty === 'email') return (id: string) => contactsByEmail(world).get(id.toLowerCase());
  if (idProperty !== undefined && idProperty !== 'hs_object_id') {
    throw hubspotRefusal('idProperty is no unique property of contacts');
  }
  return (id: string) => contactsById(world).get(id);
}

function list({ world, url }: HubspotCall): Response {
  const limit = Number(url.searchParams.get('limit') ?? '10');
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE)
    throw hubspotRefusal('limit must be between 1 and 100');
  const after = url.searchParams.get('after');
  if (after !== null && !/^[\w-]{1,64}$/.test(after)) throw hubspotRefusal('after is not a valid cursor');
  const { values, next } = pageAfter(contactsInOrder(world), after === null ? null : idPosition(after), limit);
  const link = `${url.origin}${url.pathname}?limit=${limit}&after=${next?.id}`;
  const results = values
    .slice(0, limit)
    .map((profile) => toContact(profile, propertiesIn(url, 'properties'), historyIn(url)));
  return hubspotJson({ results, ...(next === null ? {} : { paging: { next: { after: next.id, link } } }) });
}

function one({ world, url }: HubspotCall, id: string | undefined): Response {
  const profile = finder(world, url.searchParams.get('idProperty') ?? undefined)(id ?? '');
  if (profile === undefined) return hubspotError(404, 'OBJECT_NOT_FOUND', 'resource not found');
  return hubspotJson(toContact(profile, propertiesIn(url, 'properties'), historyIn(url)));
}

function historyIn(url: URL): readonly string[] {
  return url.searchParams.has('propertiesWithHistory') ? propertiesIn(url, 'propertiesWithHistory') : [];
}

function propertiesIn(url: URL, name: string): readonly string[] {
  const asked = url.searchParams.getAll(name).flatMap((text) => text.split(','));
  return asked.length === 0 ? DEFAULT_PROPERTIES : asked.map((text) => text.trim());
}
