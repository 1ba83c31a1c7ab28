import { z } from 'zod';

import type { BatchReadDefinition, WriteDefinition } from '#connectors/kit/definition.ts';
import type { MarketingConsentDraft } from '#connectors/kit/draft.ts';
import { readRows } from '#connectors/kit/rows.ts';
import { instantOf, wordOf } from '#connectors/kit/text.ts';
import type { MarketingConsentWrite, WriteResult } from '#schema/model/outreach.ts';
import type { Medium } from '#schema/model/request.ts';

import { IDS_PER_CALL, byIds, isProfileId, page } from './profiles.ts';
import type { Page } from './profiles.ts';
import type { KlaviyoSettings } from './settings.ts';

const marketing = z
  .object({
    consent: z.string().nullish(),
    consent_timestamp: z.string().nullish(),
    can_receive_email_marketing: z.boolean().nullish(),
    can_receive_sms_marketing: z.boolean().nullish(),
    can_receive_push_marketing: z.boolean().nullish(),
  })
  .nullish();
const channel = z.object({ marketing }).nullish();
const profile = z.object({
  id: z.string().min(1),
  attributes: z.object({
    subscriptions: z.object({ email: channel, sms: channel, mobile_push: channel }).nullish(),
  }),
});
type Profile = z.infer<typeof profile>;
type Channel = z.infer<typeof channel>;

/** Klaviyo's own words; any other is UNKNOWN, which is no permission. */
const DECISIONS: Readonly<Record<string, MarketingConsentDraft['decision']>> = {
  SUBSCRIBED: 'GRANTED',
  UNSUBSCRIBED: 'WITHDRAWN',
};

function decodeChannel(id: string, medium: Medium, part: Channel): readonly MarketingConsentDraft[] {
  const state = part?.marketing;
  if (state === null || state === undefined) return [];
  const mayReceive =
    state.can_receive_email_marketing ?? state.can_receive_sms_marketing ?? state.can_receive_push_marketing ?? false;
  const decision = wordOf(DECISIONS, state.consent) ?? 'UNKNOWN';
  const decidedAt = instantOf(state.consent_timestamp);
  return [
    {
      externalId: id,
      medium,
      decision,
      mayReceive: decision === 'GRANTED' && mayReceive,
      decidedAt,
      vendorState: state.consent ?? '',
      stamp: { asOf: decidedAt, reference: id, sequence: null },
    },
  ];
}

function decodeConsents({ id, attributes: { subscriptions } }: Profile): readonly MarketingConsentDraft[] {
  return [
    ...decodeChannel(id, 'EMAIL', subscriptions?.email),
    ...decodeChannel(id, 'SMS', subscriptions?.sms),
    ...decodeChannel(id, 'PUSH', subscriptions?.mobile_push),
  ];
}

/** What Klaviyo believes about marketing, one record a medium; a profile it does not know has none. Klaviyo tells it only when asked for. */
export const consentsByProfile: BatchReadDefinition<string, readonly MarketingConsentDraft[], KlaviyoSettings, Page> = {
  max: IDS_PER_CALL,
  keyOf: (id) => id,
  accepts: isProfileId,
  request: (ids) =>
    byIds(ids, {
      'additional-fields[profile]': 'subscriptions',
      'fields[profile]': 'subscriptions.email,subscriptions.sms,subscriptions.mobile_push',
    }),
  page,
  decode: (bodies) => {
    const list = bodies.flatMap((body) => body.data);
    const { values, rejected } = readRows(profile, list, (row) => [row.id, decodeConsents(row)] as const);
    return { values: new Map(values), rejected };
  },
  absent: [],
  freshnessMs: null,
};

/** An e-mail address, or an E.164 number: what Klaviyo takes, so that one bad address does not refuse a whole job. */
const ADDRESSES: Readonly<Record<string, RegExp>> = { EMAIL: /^[^\s@]{1,64}@[^\s@]{1,255}$/, SMS: /^\+[1-9]\d{6,14}$/ };

function subscriptionOf({ externalId, medium, decision, address }: MarketingConsentWrite): object {
  const isGrant = decision === 'GRANT';
  const consent = { marketing: { consent: isGrant ? 'SUBSCRIBED' : 'UNSUBSCRIBED' } };
  const attributes =
    medium === 'EMAIL'
      ? { email: address, subscriptions: { email: consent } }
      : { phone_number: address, subscriptions: { sms: consent } };
  // Withdrawals are looked up by the address alone.
  return { type: 'profile', ...(isGrant ? { id: externalId } : {}), attributes };
}

/**
 * Decisions as bulk jobs, which Klaviyo carries out later: ACCEPTED. A withdrawal names no list: it is of all marketing on
 * the medium, not of one list.
 */
export const consentSink: WriteDefinition<MarketingConsentWrite, WriteResult, KlaviyoSettings> = {
  // 1,000 for subscriptions, 100 for withdrawals.
  max: 100,
  idempotency: 'natural',
  keyOf: ({ externalId, medium }) => `${medium} ${externalId}`,
  groupOf: ({ decision }) => decision,
  accepts: ({ medium, address }) => wordOf(ADDRESSES, medium)?.test(address) === true,
  request: (inputs, { settings }) => {
    const isGrant = inputs[0]?.decision === 'GRANT';
    const job = isGrant ? 'profile-subscription-bulk-create-job' : 'profile-subscription-bulk-delete-job';
    const source = isGrant ? { custom_source: settings.consentSource } : {};
    return {
      operation: isGrant ? 'bulk_subscribe_profiles' : 'bulk_unsubscribe_profiles',
      method: 'POST',
      path: `/api/${job}s`,
      headers: { 'content-type': 'application/vnd.api+json' },
      json: { data: { type: job, attributes: { ...source, profiles: { data: inputs.map(subscriptionOf) } } } },
    };
  },
  // 202 without a body.
  page: z.unknown(),
  decode: (_body, inputs) => inputs.map(() => ({ kind: 'ACCEPTED' })),
};
