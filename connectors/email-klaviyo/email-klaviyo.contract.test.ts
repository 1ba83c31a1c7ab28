import { describe, expect, it } from 'vitest';

import type { MarketingConsentWrite } from '#schema/model/outreach.ts';
import { checkWire, contextOf, HOSTILE_IDS } from '#test/support/connector-contract.ts';
import { contractsAvailable, loadContract } from '#test/support/contracts.ts';

import { emailKlaviyo } from './connector.ts';
import { consentSink, consentsByProfile } from './consents.ts';
import { profileFeed, profilesById } from './profiles.ts';

const context = contextOf(emailKlaviyo, {
  credentials: { apiKey: 'pk_1' },
  options: { loyaltyNumberProperty: 'loyalty', testProperty: 'test' },
});
const headers = emailKlaviyo.auth.kind === 'headers' ? emailKlaviyo.auth.headers(context.settings) : {};
const since = '2026-11-01T00:00:00.000Z';
const later = JSON.stringify({ since, startedAt: null, seen: null, token: 'bmV4dA' });
const decision = (n: number, more: Partial<MarketingConsentWrite> = {}): MarketingConsentWrite => ({
  externalId: `01P${n}`,
  medium: 'EMAIL',
  decision: 'WITHDRAW',
  address: `p${n}@person.test`,
  ...more,
});

describe.skipIf(!contractsAvailable())('by the contract of Klaviyo', () => {
  it('emits valid requests', async () => {
    const contract = await loadContract('klaviyo/profiles-2026-07-15.json');
    const sms = { medium: 'SMS', address: '+442079460018' } as const;
    for (const request of [
      profilesById.request(['01A', '01B'], context),
      consentsByProfile.request(['01A'], context),
      profileFeed.request(null, context),
      profileFeed.request(later, context),
      consentSink.request([decision(1), decision(2, sms)], context),
      consentSink.request([decision(1, { decision: 'GRANT' }), decision(2, { decision: 'GRANT', ...sms })], context),
    ]) {
      expect([request.operation, checkWire(contract, request, headers)]).toEqual([request.operation, []]);
    }
  });
});

describe('profiles', () => {
  it.each(HOSTILE_IDS)('asks nothing for %s: ids have one shape', (id) => {
    expect(profilesById.accepts?.(id)).toBe(false);
  });

  it('are read with the custom properties the configuration names', () => {
    const row = {
      id: '01A',
      attributes: {
        email: 'ada@example.com',
        first_name: 'Ada',
        updated: '2026-11-02T00:00:00+00:00',
        location: { address1: '1 Long Acre', country: 'United Kingdom', zip: 'WC2E 9LH' },
        properties: { loyalty: 'LOY-1', test: true, anything: { nested: 1 } },
      },
    };
    const { values, rejected } = profilesById.decode([{ data: [row, { id: 5 }] }], ['01A'], context);
    expect(rejected).toBe(1);
    expect(values.get('01A')).toMatchObject({
      givenName: 'Ada',
      country: 'GB',
      loyaltyNumber: 'LOY-1',
      isTest: true,
      addresses: [{ lines: ['1 Long Acre'], postalCode: 'WC2E 9LH', country: 'GB' }],
      stamp: { sequence: '2026-11-02T00:00:00.000Z' },
    });
  });

  it('follow only the cursor of a next link, whatever else it says', () => {
    const next = 'https://evil.test/api/other?page%5Bcursor%5D=abc&filter=equals(email,"x")';
    const step = profileFeed.decode({ data: [], links: { next } }, null, context);
    expect(step.done).toBe(false);
    expect(profileFeed.request(step.cursor, context)).toMatchObject({
      path: '/api/profiles',
      query: { 'page[cursor]': 'abc', filter: undefined },
    });
  });
});

describe('consents', () => {
  const read = (subscriptions: unknown) =>
    consentsByProfile
      .decode([{ data: [{ id: '01A', attributes: { subscriptions } }] }], ['01A'], context)
      .values.get('01A');

  it('say what was decided and whether Klaviyo would send', () => {
    const email = { can_receive_email_marketing: false, consent: 'SUBSCRIBED', consent_timestamp: since };
    const sms = { can_receive_sms_marketing: true, consent: 'SUBSCRIBED' };
    expect(read({ email: { marketing: email }, sms: { marketing: sms } })).toMatchObject([
      { medium: 'EMAIL', decision: 'GRANTED', mayReceive: false, decidedAt: since },
      { medium: 'SMS', decision: 'GRANTED', mayReceive: true, decidedAt: null },
    ]);
  });

  it.each([
    ['UNSUBSCRIBED', 'WITHDRAWN'],
    ['NEVER_SUBSCRIBED', 'UNKNOWN'],
    ['A_NEW_WORD', 'UNKNOWN'],
  ])('take %s as %s, which is no permission', (consent, expected) => {
    const email = { can_receive_email_marketing: true, consent };
    expect(read({ email: { marketing: email } })).toMatchObject([{ decision: expected, mayReceive: false }]);
  });

  it('are written as withdrawals of all marketing on the medium, never of one list', () => {
    const { json } = consentSink.request([decision(1)], context);
    expect(JSON.stringify(json)).not.toContain('list');
    expect(json).toMatchObject({
      data: {
        type: 'profile-subscription-bulk-delete-job',
        attributes: {
          profiles: {
            data: [
              {
                type: 'profile',
                attributes: {
                  email: 'p1@person.test',
                  subscriptions: { email: { marketing: { consent: 'UNSUBSCRIBED' } } },
                },
              },
            ],
          },
        },
      },
    });
  });
});
