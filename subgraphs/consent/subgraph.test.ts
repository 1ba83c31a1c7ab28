import { parse } from 'graphql';
import { describe, expect, test } from 'vitest';

import { createConsentDeciders } from '#domain/consent/deciders.ts';
import { createConsentService } from '#domain/consent/service.ts';
import { addSubject, aRequest, membersPort, plainCipher, TEST_MIGRATIONS } from '#domain/consent/test-kit.ts';
import { type CustomerId, type SubjectId, toCustomerId } from '#schema/model/ids.ts';
import type { RequestContext } from '#schema/model/request.ts';
import { openTestSqlite } from '#test/support/databases.ts';
import { createConsentSubgraph } from './subgraph.ts';

const me = aRequest('customer', { customer: toCustomerId('cus_me'), purpose: 'SERVICE_SUPPORT' });

async function openSubgraph() {
  const opened = await openTestSqlite(TEST_MIGRATIONS);
  const { database } = opened;
  const mine = await addSubject(database, 'sub_a', { customer_id: 'cus_me' });
  const members = membersPort({ cus_me: { members: [mine], proven: [mine] } });
  const asked: CustomerId[][] = [];
  const subgraph = createConsentSubgraph({
    consent: createConsentService({
      database,
      members,
      cipher: plainCipher,
      recipients: [],
      createId: () => 'receipt',
    }),
    customers: {
      subjectsOf: async (customers): Promise<readonly (readonly SubjectId[] | null)[]> => {
        asked.push([...customers]);
        return Promise.all(customers.map(async (id) => members.memberSubjects(id)));
      },
    },
    deciders: createConsentDeciders({ database, subjects: members, timeoutMs: 10_000 }),
  });
  const run = async (source: string, request: RequestContext = me, variables: Readonly<Record<string, unknown>> = {}) =>
    subgraph.execute({ document: parse(source), variables, request: { ...request } });
  return { run, asked, [Symbol.asyncDispose]: async () => opened[Symbol.asyncDispose]() };
}

const RECORD = `mutation ($input: RecordConsentInput!) { recordConsent(input: $input) { __typename
  ... on ConsentRecorded { receipt state { purpose { id title } medium recipient state decidedAt expiresAt } }
  ... on ConsentRejected { reason } ... on IdempotencyConflict { idempotencyKey } } }`;
const CONSENTS = `query ($ids: [_Any!]!) { _entities(representations: $ids) { ... on Customer { id consents { purpose { id } medium recipient state } } } }`;
const ids = (...list: string[]) => ({ ids: list.map((id) => ({ __typename: 'Customer', id })) });
const input = (change: Readonly<Record<string, unknown>> = {}) => ({
  input: {
    customer: 'cus_me',
    purpose: 'MARKETING',
    medium: 'EMAIL',
    decision: 'GRANT',
    idempotencyKey: 'k1',
    ...change,
  },
});

describe('the consent subgraph', () => {
  test('says why it takes an idempotency key for no key', async () => {
    await using subgraph = await openSubgraph();
    const { errors } = await subgraph.run(RECORD, me, input({ idempotencyKey: '' }));
    expect(errors).toMatchObject([
      { message: '`idempotencyKey` needs 1 to 200 characters.', extensions: { code: 'BAD_USER_INPUT' } },
    ]);
  });

  test('lists the eight purposes in plain language, falling back to English', async () => {
    await using subgraph = await openSubgraph();
    const query = '{ purposes(locale: "pt-BR") { id title description examples mechanism dpvIri } }';
    const { data, errors } = await subgraph.run(query);
    expect(errors).toEqual([]);
    const purposes = data?.['purposes'] as readonly Record<string, unknown>[];
    expect(purposes).toHaveLength(8);
    expect(purposes[2]).toMatchObject({
      id: 'MARKETING',
      title: 'Offers and news',
      mechanism: 'OPT_IN',
      dpvIri: 'https://w3id.org/dpv#Marketing',
    });
  });

  test('records, lists and withdraws a consent', async () => {
    await using subgraph = await openSubgraph();
    const recorded = await subgraph.run(RECORD, me, input());
    expect(recorded.errors).toEqual([]);
    expect(recorded.data).toMatchObject({
      recordConsent: {
        __typename: 'ConsentRecorded',
        receipt: 'rcp_receipt',
        state: {
          purpose: { id: 'MARKETING', title: 'Offers and news' },
          medium: 'EMAIL',
          recipient: null,
          state: 'GRANTED',
        },
      },
    });
    const listed = await subgraph.run(CONSENTS, me, ids('cus_me'));
    expect(listed.data).toEqual({
      _entities: [
        {
          id: 'cus_me',
          consents: [{ purpose: { id: 'MARKETING' }, medium: 'EMAIL', recipient: null, state: 'GRANTED' }],
        },
      ],
    });
    const withdraw = `mutation { withdrawConsent(input: { customer: "cus_me", purpose: "MARKETING", medium: EMAIL, idempotencyKey: "k2" }) { ... on ConsentRecorded { state { state expiresAt } } } }`;
    expect((await subgraph.run(withdraw)).data).toEqual({
      withdrawConsent: { state: { state: 'WITHDRAWN', expiresAt: null } },
    });
  });

  test('answers a rejection and a conflict as data', async () => {
    await using subgraph = await openSubgraph();
    const rejected = await subgraph.run(RECORD, me, input({ purpose: 'LEGAL_OBLIGATION' }));
    expect(rejected.data).toEqual({
      recordConsent: { __typename: 'ConsentRejected', reason: expect.stringContaining('consent') },
    });
    await subgraph.run(RECORD, me, input());
    const conflict = await subgraph.run(RECORD, me, input({ decision: 'DENY' }));
    expect(conflict.data).toEqual({ recordConsent: { __typename: 'IdempotencyConflict', idempotencyKey: 'k1' } });
  });

  test('answers null alike for the absent and the forbidden, loading all references at once', async () => {
    await using subgraph = await openSubgraph();
    const { data, errors } = await subgraph.run(CONSENTS, me, ids('cus_me', 'cus_other', 'cus_nobody'));
    expect(errors).toEqual([]);
    expect(data).toEqual({ _entities: [{ id: 'cus_me', consents: [] }, null, null] });
    expect(subgraph.asked).toEqual([['cus_me', 'cus_other', 'cus_nobody']]);
  });

  test('needs the scopes consent:read and consent:write', async () => {
    await using subgraph = await openSubgraph();
    const scopeless = { ...me, principal: { ...me.principal, scopes: new Set<never>() } };
    const listed = await subgraph.run(CONSENTS, scopeless, ids('cus_me'));
    expect(listed.data).toEqual({ _entities: [{ id: 'cus_me', consents: null }] });
    expect(listed.errors.map((error) => error.extensions['code'])).toEqual(['SCOPE_REQUIRED']);
    const recorded = await subgraph.run(RECORD, scopeless, input());
    expect(recorded.data).toEqual({ recordConsent: null });
    expect(recorded.errors.map((error) => error.extensions['code'])).toEqual(['SCOPE_REQUIRED']);
  });
});
