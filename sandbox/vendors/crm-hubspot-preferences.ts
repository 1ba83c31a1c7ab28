import { z } from 'zod';
import type { World, WorldProfile } from '#sandbox/world/types.ts';
import { contactsByEmail } from './crm-hubspot-contact.ts';
import { hubspotJson, hubspotRefusal, readHubspotBody } from './crm-hubspot-wire.ts';
import type { HubspotCall } from './crm-hubspot-wire.ts';
import type { Route } from './route-table.ts';

/** The account's subscription types. */
export const HUBSPOT_MARKETING_ID = 4_000_001;
const SUBSCRIPTIONS = [
  { id: HUBSPOT_MARKETING_ID, name: 'Marketing Information' },
  { id: 4_000_002, name: 'One to One' },
] as const;

type State = 'SUBSCRIBED' | 'UNSUBSCRIBED' | 'NOT_SPECIFIED';
interface Preference {
  readonly state: State;
  readonly at: string;
  readonly source: string;
}

const written = new WeakMap<World, Map<string, Preference>>();

const MAX_INPUTS = 100;
const addresses = z.array(z.string().min(3).max(320)).min(1).max(MAX_INPUTS);
const listBody = z.object({ inputs: addresses });
const writeBody = z.object({
  inputs: z
    .array(
      z.object({
        channel: z.literal('EMAIL'),
        statusState: z.enum(['SUBSCRIBED', 'UNSUBSCRIBED', 'NOT_SPECIFIED']),
        subscriberIdString: z.string().min(3).max(320),
        subscriptionId: z.int(),
        legalBasis: z
          .enum([
            'LEGITIMATE_INTEREST_PQL',
            'LEGITIMATE_INTEREST_CLIENT',
            'PERFORMANCE_OF_CONTRACT',
            'CONSENT_WITH_NOTICE',
            'NON_GDPR',
            'PROCESS_AND_STORE',
            'LEGITIMATE_INTEREST_OTHER',
          ])
          .optional(),
        legalBasisExplanation: z.string().max(2_000).optional(),
      }),
    )
    .min(1)
    .max(MAX_INPUTS),
});

const BASE = '/communication-preferences/v4/statuses/batch';

/** E-mail preferences of the HubSpot fake: one state for each address and subscription type. */
export const hubspotPreferenceRoutes: readonly Route<HubspotCall>[] = [
  { method: 'POST', path: `${BASE}/read`, handle: read },
  { method: 'POST', path: `${BASE}/write`, handle: write },
  { method: 'POST', path: `${BASE}/unsubscribe-all`, handle: unsubscribeAll },
];

async function read(call: HubspotCall): Promise<Response> {
  requireChannel(call);
  const { inputs } = await readHubspotBody(call, listBody);
  const results = [...new Set(inputs.map(plain))].map((address) => ({
    subscriberIdString: address,
    statuses: SUBSCRIPTIONS.map((subscription) => toStatus(call.world, address, subscription)),
  }));
  return complete(call, results);
}

async function write(call: HubspotCall): Promise<Response> {
  const { inputs } = await readHubspotBody(call, writeBody);
  const bad = inputs.find(({ subscriptionId }) => !SUBSCRIPTIONS.some(({ id }) => id === subscriptionId));
  if (bad !== undefined) throw hubspotRefusal('subscriptionId is no subscription type of this account');
  const results = inputs.map(({ subscriberIdString, subscriptionId, statusState, ...basis }) => {
    const address = plain(subscriberIdString);
    note(call, { address, subscriptionId, state: statusState });
    const subscription = SUBSCRIPTIONS.find(({ id }) => id === subscriptionId) ?? SUBSCRIPTIONS[0];
    const { legalBasis, legalBasisExplanation } = basis;
    return {
      ...toStatus(call.world, address, subscription),
      ...(legalBasis === undefined ? {} : { legalBasis }),
      ...(legalBasisExplanation === undefined ? {} : { legalBasisExplanation }),
    };
  });
  return complete(call, results);
}

async function unsubscribeAll(call: HubspotCall): Promise<Response> {
  requireChannel(call);
  const { inputs } = await readHubspotBody(call, listBody);
  const own = [...new Set(inputs.map(plain))];
  for (const address of own) {
    for (const { id } of SUBSCRIPTIONS) note(call, { address, subscriptionId: id, state: 'UNSUBSCRIBED' });
  }
  const isVerbose = call.url.searchParams.get('verbose') === 'true';
  const statusesOf = (address: string) =>
    SUBSCRIPTIONS.map((subscription) => toStatus(call.world, address, subscription));
  const results = own.map((address) => ({ subscriberIdString: address, statuses: statusesOf(address) }));
  return complete(call, isVerbose ? results : []);
}

function complete({ nowMs }: HubspotCall, results: readonly object[]): Response {
  const at = new Date(nowMs).toISOString();
  return hubspotJson({ status: 'COMPLETE', results, startedAt: at, completedAt: at });
}

function requireChannel({ url }: HubspotCall): void {
  if (url.searchParams.get('channel') !== 'EMAIL') throw hubspotRefusal('channel must be EMAIL');
}

const plain = (address: string): string => address.trim().toLowerCase();

function note(
  { world, nowMs }: HubspotCall,
  { address, subscriptionId, state }: { address: string; subscriptionId: number; state: State },
): void {
  const known = written.get(world) ?? new Map<string, Preference>();
  const made = { state, at: new Date(nowMs).toISOString(), source: 'PUBLIC_API' };
  written.set(world, known.set(`${subscriptionId} ${address}`, made));
  world.sequence += 1;
}

function toStatus(world: World, address: string, subscription: (typeof SUBSCRIPTIONS)[number]): object {
  const { state, at, source } = preferenceOf(world, address, subscription.id);
  return {
    channel: 'EMAIL',
    source,
    status: state,
    subscriberIdString: address,
    subscriptionId: subscription.id,
    subscriptionName: subscription.name,
    timestamp: new Date(at).toISOString(),
  };
}

/** What was written, else what the retailer's past says of the person's marketing e-mails. */
function preferenceOf(world: World, address: string, subscriptionId: number): Preference {
  const own = written.get(world)?.get(`${subscriptionId} ${address}`);
  if (own !== undefined) return own;
  const nothing: Preference = { state: 'NOT_SPECIFIED', at: world.builtAt, source: 'DEFAULT' };
  const profile = contactsByEmail(world).get(address);
  return subscriptionId === HUBSPOT_MARKETING_ID && profile !== undefined ? pastOf(world, profile, nothing) : nothing;
}

function pastOf(world: World, { externalId }: WorldProfile, nothing: Preference): Preference {
  const last = world.consents.findLast(
    (consent) =>
      consent.system === 'crm' &&
      consent.externalId === externalId &&
      consent.purpose === 'MARKETING' &&
      (consent.medium === null || consent.medium === 'EMAIL'),
  );
  if (last === undefined) return nothing;
  return { state: last.decision === 'GRANT' ? 'SUBSCRIBED' : 'UNSUBSCRIBED', at: last.at, source: 'FORM' };
}
