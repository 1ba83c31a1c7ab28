import { describe, expect, it } from 'vitest';

import { customersOf, decisionsOf, loners, profileKey } from '#test/support/customers.ts';
import { useProduct } from '#test/support/use-product.ts';

const product = useProduct();

const EMAIL = 'query Email($id: ID!) { customer(id: $id) { email } }';
const RECORD = `mutation Record($input: RecordConsentInput!) { recordConsent(input: $input) { __typename
  ... on ConsentRecorded { receipt state { purpose { id } medium recipient state decidedAt expiresAt } }
  ... on ConsentRejected { reason } ... on IdempotencyConflict { idempotencyKey } } }`;
const WITHDRAW = `mutation Withdraw($input: WithdrawConsentInput!) { withdrawConsent(input: $input) { __typename
  ... on ConsentRecorded { receipt state { purpose { id } medium state } }
  ... on ConsentRejected { reason } ... on IdempotencyConflict { idempotencyKey } } }`;

/** CRM customers without links who have an e-mail address: those who granted marketing for good, and those never asked. */
async function people() {
  const world = await product().world();
  const profiles = loners(world, 'crm').filter(({ email }) => email !== null);
  const ids = await customersOf(product(), profiles);
  const known = profiles.flatMap((profile) => {
    const id = ids.get(profileKey(profile));
    return id === undefined ? [] : [{ id, profile, decisions: decisionsOf(world, profile) }];
  });
  const yearAgo = new Date(Date.now() - 365 * 86_400_000).toISOString();
  return {
    granted: known.filter(
      ({ decisions }) =>
        decisions.some(({ purpose, medium, at }) => purpose === 'MARKETING' && medium === null && at > yearAgo) &&
        decisions.every(({ purpose, decision }) => purpose !== 'MARKETING' || decision === 'GRANT'),
    ),
    unasked: known.filter(({ decisions }) => decisions.length === 0),
  };
}

async function emailFor(id: string, medium?: string) {
  const token = await product().token('marketer');
  const asked = { token, purpose: 'MARKETING', variables: { id }, ...(medium === undefined ? {} : { medium }) };
  return product().ask(EMAIL, asked);
}

async function mutate(query: string, customer: string, input: Readonly<Record<string, unknown>>) {
  const token = await product().token('customer-app', { customer });
  const answer = await product().ask(query, { token, variables: { input: { customer, ...input } } });
  expect(answer).toMatchObject({ status: 200, errors: [] });
  return answer.data.recordConsent ?? answer.data.withdrawConsent;
}

describe('Customer.email for marketing', () => {
  it('is refused with the reason where nothing was decided', async () => {
    const [person] = (await people()).unasked;
    const answer = await emailFor(person?.id ?? '');
    expect(answer).toMatchObject({ status: 200, errors: [], data: { customer: { email: null } } });
    expect(answer.consent).toMatchObject([
      { coordinate: 'Customer.email', purpose: 'MARKETING', reason: 'CONSENT_REQUIRED', count: 1 },
    ]);
    expect(answer.headers.get('cache-control')).toBe('private, no-store');
    expect(answer.text).not.toContain(person?.profile.email);
  });

  it('is served where marketing was granted', async () => {
    const [person] = (await people()).granted;
    const answer = await emailFor(person?.id ?? '');
    expect(answer).toMatchObject({ status: 200, errors: [], consent: [] });
    expect(answer.data.customer.email).toBe(person?.profile.email);
  });

  it('is served for e-mail and refused for phone numbers when only e-mail was granted', async () => {
    const person = (await people()).unasked[1];
    await mutate(RECORD, person?.id ?? '', {
      purpose: 'MARKETING',
      medium: 'EMAIL',
      decision: 'GRANT',
      idempotencyKey: 'medium-1',
    });
    const token = await product().token('marketer');
    const answer = await product().ask('query($id: ID!) { customer(id: $id) { email phone addresses { city } } }', {
      token,
      purpose: 'MARKETING',
      variables: { id: person?.id },
    });
    expect(answer.data.customer).toEqual({ email: person?.profile.email, phone: null, addresses: null });
    expect(answer.consent.map(({ coordinate }) => coordinate).toSorted()).toEqual([
      'Customer.addresses',
      'Customer.phone',
    ]);
  });

  it('is refused by the very next request after a withdrawal, and served again after a new grant', async () => {
    const person = (await people()).granted[1];
    const id = person?.id ?? '';
    expect((await emailFor(id)).data.customer.email).toBe(person?.profile.email);
    const withdrawn = await mutate(WITHDRAW, id, { purpose: 'MARKETING', idempotencyKey: 'stop-1' });
    expect(withdrawn).toMatchObject({
      __typename: 'ConsentRecorded',
      receipt: expect.stringMatching(/^rcp_/),
      state: { purpose: { id: 'MARKETING' }, medium: null, state: 'WITHDRAWN' },
    });
    expect((await emailFor(id)).data.customer.email).toBeNull();
    await mutate(RECORD, id, { purpose: 'MARKETING', decision: 'GRANT', idempotencyKey: 'again-1' });
    expect((await emailFor(id)).data.customer.email).toBe(person?.profile.email);
    await mutate(RECORD, id, { purpose: 'MARKETING', decision: 'DENY', idempotencyKey: 'deny-1' });
    expect((await emailFor(id)).data.customer.email).toBeNull();
  });

  it('stays open to the person whatever was decided', async () => {
    const person = (await people()).unasked[2];
    const token = await product().token('customer-app', { customer: person?.id ?? '' });
    const answer = await product().ask(EMAIL, { token, variables: { id: person?.id } });
    expect(answer.data.customer.email).toBe(person?.profile.email);
  });

  it('hides another person from a customer as if there was none', async () => {
    const [one, other] = (await people()).unasked;
    const token = await product().token('customer-app', { customer: one?.id ?? '' });
    const answer = await product().ask(EMAIL, { token, variables: { id: other?.id } });
    expect(answer).toMatchObject({ status: 200, errors: [], consent: [], data: { customer: null } });
  });
});

describe('recordConsent', () => {
  it('answers the same for the same key and input, and a conflict for another input', async () => {
    const person = (await people()).unasked[3];
    const input = { purpose: 'PERSONALIZATION', decision: 'GRANT', idempotencyKey: 'once' };
    const first = await mutate(RECORD, person?.id ?? '', input);
    expect(await mutate(RECORD, person?.id ?? '', input)).toEqual(first);
    expect(await mutate(RECORD, person?.id ?? '', { ...input, decision: 'DENY' })).toEqual({
      __typename: 'IdempotencyConflict',
      idempotencyKey: 'once',
    });
  });

  it('lists what was decided in Customer.consents', async () => {
    const person = (await people()).unasked[4];
    const id = person?.id ?? '';
    await mutate(RECORD, id, { purpose: 'MARKETING', medium: 'SMS', decision: 'GRANT', idempotencyKey: 'sms' });
    const token = await product().token('customer-app', { customer: id });
    const answer = await product().ask(
      'query($id: ID!) { customer(id: $id) { consents { purpose { id title } medium recipient state expiresAt } } }',
      { token, variables: { id } },
    );
    expect(answer.data.customer.consents).toContainEqual({
      purpose: { id: 'MARKETING', title: 'Offers and news' },
      medium: 'SMS',
      recipient: null,
      state: 'GRANTED',
      expiresAt: expect.any(String),
    });
  });

  it.each([
    ['a purpose that rests on a contract', { purpose: 'ORDER_FULFILLMENT', decision: 'DENY' }],
    ['an unknown purpose', { purpose: 'GOSSIP', decision: 'GRANT' }],
    ['sharing with everybody', { purpose: 'THIRD_PARTY_SHARING', decision: 'GRANT' }],
    ['an unknown recipient', { purpose: 'THIRD_PARTY_SHARING', recipient: 'nobody', decision: 'GRANT' }],
  ])('rejects %s with a reason and records nothing', async (name, input) => {
    const person = (await people()).unasked[5];
    const answer = await mutate(RECORD, person?.id ?? '', { ...input, idempotencyKey: `bad ${name}` });
    expect(answer).toEqual({ __typename: 'ConsentRejected', reason: expect.any(String) });
  });

  it('rejects a decision about somebody else exactly as one about nobody', async () => {
    const [one, other] = (await people()).unasked;
    const token = await product().token('customer-app', { customer: one?.id ?? '' });
    const input = { purpose: 'MARKETING', decision: 'GRANT', idempotencyKey: 'foreign' };
    const ask = (customer: string) => product().ask(RECORD, { token, variables: { input: { ...input, customer } } });
    const foreign = await ask(other?.id ?? '');
    const absent = await ask('cus_doesnotexist');
    expect(foreign.data).toEqual(absent.data);
    expect(foreign.data.recordConsent).toMatchObject({ __typename: 'ConsentRejected' });
  });

  it('needs the scope consent:write', async () => {
    const token = await product().token('marketer');
    const variables = { input: { customer: 'cus_x', purpose: 'MARKETING', decision: 'GRANT', idempotencyKey: 'k' } };
    const answer = await product().ask(RECORD, { token, purpose: 'MARKETING', variables });
    expect(answer.data).toEqual({ recordConsent: null });
    expect(answer.errors).toMatchObject([{ path: ['recordConsent'], extensions: { code: 'SCOPE_REQUIRED' } }]);
  });
});
