import { z } from 'zod';

import type { MortarError } from '#platform/errors.ts';
import type { BatchReadDefinition, WriteDefinition } from '#connectors/kit/definition.ts';
import type { MarketingConsentDraft } from '#connectors/kit/draft.ts';
import { upstreamError } from '#connectors/kit/failure.ts';
import { readRows, rows } from '#connectors/kit/rows.ts';
import { instantOf, wordOf } from '#connectors/kit/text.ts';
import type { MarketingConsentWrite, WriteResult } from '#schema/model/outreach.ts';

import { batchRead, isContactId } from './contacts.ts';
import type { HubspotSettings } from './settings.ts';

// Preferences belong to an e-mail address, not to a contact: a read goes by the contact first. Source: HubSpot communication
// preferences v4, statuses/batch/read, /write and /unsubscribe-all (a Marketing Hub Enterprise account opens them).

const PREFERENCES = '/communication-preferences/v4/statuses/batch';
const MAX_PER_CALL = 100;

const DECISIONS: Readonly<Record<string, MarketingConsentDraft['decision']>> = {
  SUBSCRIBED: 'GRANTED',
  UNSUBSCRIBED: 'WITHDRAWN',
};

const contact = z.object({
  id: z.string().min(1),
  properties: z.object({ email: z.string().nullish() }),
});
const status = z.object({ subscriptionId: z.number(), status: z.string(), timestamp: z.string().nullish() });
const subscriber = z.object({ subscriberIdString: z.string().min(1), statuses: z.array(status) });

const page = z.object({ results: rows });
type Page = z.infer<typeof page>;

const same = (address: string): string => address.trim().toLowerCase();

function consentOf(
  id: string,
  statuses: readonly z.infer<typeof status>[],
  subscriptionId: number | undefined,
): MarketingConsentDraft {
  const own = statuses.find((entry) => entry.subscriptionId === subscriptionId);
  const decision = wordOf(DECISIONS, own?.status) ?? 'UNKNOWN';
  const decidedAt = decision === 'UNKNOWN' ? null : instantOf(own?.timestamp);
  return {
    externalId: id,
    medium: 'EMAIL',
    decision,
    mayReceive: decision === 'GRANTED',
    decidedAt,
    vendorState: own?.status ?? '',
    stamp: { asOf: decidedAt, reference: id, sequence: null },
  };
}

/** What HubSpot believes about marketing by e-mail; a contact without an address has no record. Two calls. */
export const consentsByContact: BatchReadDefinition<string, readonly MarketingConsentDraft[], HubspotSettings, Page> = {
  max: MAX_PER_CALL,
  keyOf: (id) => id,
  accepts: isContactId,
  request: (ids) => batchRead(ids, ['email']),
  page,
  more: (body, { path }) => {
    const addresses = readRows(contact, body.results, ({ properties }) => same(properties.email ?? '')).values;
    const inputs = [...new Set(addresses)].filter((address) => address !== '');
    if (path.startsWith(PREFERENCES) || inputs.length === 0) return null;
    const operation = 'POST statuses/batch/read';
    const query = { channel: 'EMAIL' };
    return { request: { operation, method: 'POST', path: `${PREFERENCES}/read`, query, json: { inputs } } };
  },
  decode: ([contacts, preferences], _ids, { settings }) => {
    const people = readRows(contact, contacts?.results ?? [], (row) => row);
    const told = readRows(subscriber, preferences?.results ?? [], (row) => row);
    const byAddress = new Map(told.values.map((row) => [same(row.subscriberIdString), row.statuses]));
    const untold = upstreamError('UPSTREAM_UNAVAILABLE', { message: 'HubSpot could not tell these preferences.' });
    const answers = people.values.map(
      ({ id, properties }): readonly [string, readonly MarketingConsentDraft[] | MortarError] => {
        const address = same(properties.email ?? '');
        if (address === '') return [id, []];
        const statuses = byAddress.get(address);
        return [id, statuses === undefined ? untold : [consentOf(id, statuses, settings.marketingSubscriptionId)]];
      },
    );
    return { values: new Map(answers), rejected: people.rejected };
  },
  absent: [],
  freshnessMs: null,
};

const written = z.object({ subscriberIdString: z.string().min(1), status: z.string().nullish() });

/**
 * Decisions about marketing by e-mail. A grant is of the configured subscription; a withdrawal of all e-mail, so that nothing
 * is sent under another subscription's name.
 */
export const consentSink: WriteDefinition<MarketingConsentWrite, WriteResult, HubspotSettings, Page> = {
  max: MAX_PER_CALL,
  idempotency: 'natural',
  keyOf: ({ medium, address }) => `${medium} ${same(address)}`,
  groupOf: ({ decision }) => decision,
  accepts: ({ medium, decision, address }, { settings }) =>
    medium === 'EMAIL' &&
    /^[^\s@]{1,64}@[^\s@]{1,255}$/.test(address.trim()) &&
    (decision === 'WITHDRAW' || settings.marketingSubscriptionId !== undefined),
  request: (inputs, { settings }) => {
    if (inputs[0]?.decision === 'WITHDRAW') {
      return {
        operation: 'POST statuses/batch/unsubscribe-all',
        method: 'POST',
        path: `${PREFERENCES}/unsubscribe-all`,
        // Without it the answer is empty, and nobody knows whom it reached.
        query: { channel: 'EMAIL', verbose: true },
        json: { inputs: inputs.map(({ address }) => same(address)) },
      };
    }
    const grant = {
      channel: 'EMAIL',
      statusState: 'SUBSCRIBED',
      subscriptionId: settings.marketingSubscriptionId,
      legalBasis: 'CONSENT_WITH_NOTICE',
      legalBasisExplanation: settings.consentExplanation,
    };
    return {
      operation: 'POST statuses/batch/write',
      method: 'POST',
      path: `${PREFERENCES}/write`,
      json: { inputs: inputs.map(({ address }) => ({ ...grant, subscriberIdString: same(address) })) },
    };
  },
  page,
  decode: (body, inputs) => {
    const { values } = readRows(written, body.results, (row) => row);
    const states = new Map(values.map((row) => [same(row.subscriberIdString), row.status]));
    return inputs.map(({ address, decision }) => {
      const state = states.get(same(address));
      const isDone = decision === 'WITHDRAW' ? states.has(same(address)) : state === 'SUBSCRIBED';
      return isDone
        ? { kind: 'DONE' }
        : upstreamError('UPSTREAM_CONTRACT', { message: 'HubSpot did not take one decision.' });
    });
  },
};
