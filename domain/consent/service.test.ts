import { expect, test } from 'vitest';

import type { Database } from '#platform/database.ts';
import { type SubjectId, toCustomerId, toSubjectId } from '#schema/model/ids.ts';
import { describeDatabases } from '#test/support/databases.ts';
import { verifyLedger } from './ledger-verify.ts';
import { consentMigrations } from './migrations.ts';
import { createConsentService, type RecordConsentInput } from './service.ts';
import type { ConsentTables } from './tables.ts';
import { addLink, addSubject, aRequest, membersPort, plainCipher, TEST_MIGRATIONS } from './test-kit.ts';

const me = aRequest('customer', { customer: toCustomerId('cus_me') });
const officer = aRequest('privacy-officer');

let keys = 0;
function input(change: Partial<RecordConsentInput> = {}): RecordConsentInput {
  keys += 1;
  return {
    customer: 'cus_me',
    purpose: 'MARKETING',
    medium: 'EMAIL',
    recipient: null,
    decision: 'GRANT',
    notice: null,
    idempotencyKey: `key-${keys}`,
    ...change,
  };
}

/** A customer of three subjects: `sub_a` and `sub_b` proven, `sub_c` only alike by phone and name. */
async function threeSubjects(database: Database) {
  const ids: SubjectId[] = [];
  for (const id of ['sub_a', 'sub_b', 'sub_c']) ids.push(await addSubject(database, id, { customer_id: 'cus_me' }));
  await addSubject(database, 'sub_other');
  await addLink(database, ['sub_a', 'sub_b'], 'VERIFIED_KEY');
  await addLink(database, ['sub_a', 'sub_c'], 'PHONE_AND_NAME');
  const mine = { members: ids, proven: ids.slice(0, 2) };
  const other = await addSubject(database, 'sub_x');
  const members = membersPort({
    cus_me: mine,
    cus_alias: mine,
    cus_alike: { members: ids, proven: ids.slice(2) },
    cus_other: { members: [other], proven: [other] },
  });
  const service = createConsentService({
    database,
    members,
    cipher: plainCipher,
    recipients: ['amazon-marketplace'],
    createId: () => `id-${(keys += 1)}`,
  });
  return { service, ids };
}

async function eventsOf(database: Database): Promise<readonly string[]> {
  const rows = await database
    .as<ConsentTables>()
    .read.selectFrom('consent_event')
    .selectAll()
    .orderBy('subject')
    .orderBy('n')
    .execute();
  return rows.map(
    (row) =>
      `${row.subject} ${row.decision} ${row.purpose} ${row.medium} ${row.recipient} via ${row.via_link ?? 'itself'}`,
  );
}

describeDatabases('the consent service', (open) => {
  test('records a grant for what is proven, a refusal for everything linked', async () => {
    await using opened = await open(TEST_MIGRATIONS);
    const { database } = opened;
    const { service } = await threeSubjects(database);
    const granted = await service.recordConsent(input(), me);
    expect(granted).toMatchObject({
      kind: 'recorded',
      receipt: expect.stringMatching(/^rcp_id-/),
      state: {
        purpose: 'MARKETING',
        medium: 'EMAIL',
        recipient: null,
        state: 'GRANTED',
        expiresAt: expect.any(String),
      },
    });
    expect(await eventsOf(database)).toEqual([
      'sub_a GRANT MARKETING EMAIL self via itself',
      'sub_b GRANT MARKETING EMAIL self via sub_a',
    ]);
    const withdrawn = await service.withdrawConsent(input(), me);
    expect(withdrawn).toMatchObject({ kind: 'recorded', state: { state: 'WITHDRAWN', expiresAt: null } });
    expect((await eventsOf(database)).filter((event) => event.includes('WITHDRAW'))).toEqual([
      'sub_a WITHDRAW MARKETING EMAIL self via itself',
      'sub_b WITHDRAW MARKETING EMAIL self via sub_a',
      'sub_c WITHDRAW MARKETING EMAIL self via sub_a',
    ]);
    expect((await verifyLedger({ database })).ok).toBe(true);
  });

  test('keeps evidence as ciphertext under each subject’s key, and names the client, not the person', async () => {
    await using opened = await open(TEST_MIGRATIONS);
    const { database } = opened;
    const { service } = await threeSubjects(database);
    await service.recordConsent(input({ notice: 'notice-7' }), me);
    const rows = await database
      .as<ConsentTables>()
      .read.selectFrom('consent_event')
      .selectAll()
      .orderBy('subject')
      .execute();
    expect(rows.map((row) => row.evidence?.split('!')[0])).toEqual(['sub_a', 'sub_b']);
    expect(rows.map((row) => [row.actor, row.source, row.notice])).toEqual([
      ['customer:customer-client', 'api', 'notice-7'],
      ['customer:customer-client', 'api', 'notice-7'],
    ]);
  });

  test('answers a repeated key alike, writes once, and refuses the key for another input', async () => {
    await using opened = await open(TEST_MIGRATIONS);
    const { database } = opened;
    const { service } = await threeSubjects(database);
    const intent = input({ idempotencyKey: 'once' });
    const answers = await Promise.all([service.recordConsent(intent, me), service.recordConsent(intent, me)]);
    expect(answers[1]).toEqual(answers[0]);
    expect(await service.recordConsent(intent, me)).toEqual(answers[0]);
    expect(await eventsOf(database)).toHaveLength(2);
    const conflict = { kind: 'conflict', idempotencyKey: 'once' };
    expect(await service.recordConsent({ ...intent, decision: 'DENY' }, me)).toEqual(conflict);
    expect(await service.withdrawConsent(intent, me)).toEqual(conflict);
    // Another principal's key is another key.
    expect(await service.recordConsent({ ...intent, decision: 'DENY' }, officer)).toMatchObject({ kind: 'recorded' });
  });

  test('records the withdrawal of what was never granted', async () => {
    await using opened = await open(TEST_MIGRATIONS);
    const { service } = await threeSubjects(opened.database);
    expect(await service.withdrawConsent(input({ medium: null }), me)).toMatchObject({
      kind: 'recorded',
      state: { state: 'WITHDRAWN', medium: null },
    });
  });

  test('records a denial of fraud prevention as an objection, and its grant as the end of it', async () => {
    await using opened = await open(TEST_MIGRATIONS);
    const { service } = await threeSubjects(opened.database);
    const fraud = { purpose: 'FRAUD_PREVENTION', medium: null } as const;
    expect(await service.recordConsent(input({ ...fraud, decision: 'DENY' }), me)).toMatchObject({
      state: { state: 'OBJECTED' },
    });
    expect(await service.recordConsent(input(fraud), me)).toMatchObject({
      state: { state: 'GRANTED', expiresAt: null },
    });
  });

  test('rejects what cannot be decided, or not by this caller, and records nothing', async () => {
    await using opened = await open(TEST_MIGRATIONS);
    const { database } = opened;
    const { service } = await threeSubjects(database);
    for (const [name, change, reason] of [
      ['an unknown purpose', { purpose: 'TELEPATHY' }, 'There is no such purpose'],
      ['a purpose on another basis', { purpose: 'ORDER_FULFILLMENT' }, 'does not rest on consent'],
      [
        'a denial of a purpose on another basis',
        { purpose: 'LEGAL_OBLIGATION', decision: 'DENY' },
        'does not rest on consent',
      ],
      ['sharing without a partner', { purpose: 'THIRD_PARTY_SHARING' }, 'names one recipient'],
      ['sharing with ourselves', { purpose: 'THIRD_PARTY_SHARING', recipient: 'self' }, 'names one recipient'],
      ['an unregistered partner', { purpose: 'THIRD_PARTY_SHARING', recipient: 'nobody' }, 'not registered'],
      ['a partner that is no id', { recipient: 'a@b.example', decision: 'DENY' }, 'not a partner id'],
      ['a notice that is no id', { notice: 'Jane Doe <jane@example.org>' }, 'not a notice id'],
      ['an unknown customer', { customer: 'cus_nobody' }, 'no such customer'],
      ['somebody else', { customer: 'cus_other' }, 'no such customer'],
      ['somebody merely alike', { customer: 'cus_alike' }, 'no such customer'],
    ] as const) {
      const answer = await service.recordConsent(input(change), me);
      expect({ name, ...answer }).toEqual({ name, kind: 'rejected', reason: expect.stringContaining(reason) });
    }
    expect(await eventsOf(database)).toEqual([]);
  });

  test('takes decisions from the person (by any joined id) and the privacy officer only', async () => {
    await using opened = await open(TEST_MIGRATIONS);
    const { service } = await threeSubjects(opened.database);
    expect(await service.recordConsent(input({ customer: 'cus_alias' }), me)).toMatchObject({ kind: 'recorded' });
    expect(await service.recordConsent(input({ customer: 'cus_other' }), officer)).toMatchObject({ kind: 'recorded' });
    for (const role of ['associate', 'marketer', 'service-job', 'partner', 'analyst'] as const) {
      expect(await service.recordConsent(input(), aRequest(role))).toMatchObject({ kind: 'rejected' });
    }
    const scopeless = { ...me, principal: { ...me.principal, scopes: new Set<never>() } };
    expect(await service.recordConsent(input(), scopeless)).toMatchObject({ kind: 'rejected' });
  });

  test('does not take a grant that a wider refusal keeps from having effect', async () => {
    await using opened = await open(TEST_MIGRATIONS);
    const { database } = opened;
    const { service } = await threeSubjects(database);
    await service.withdrawConsent(input({ medium: null }), me);
    const key = input();
    expect(await service.recordConsent(key, me)).toMatchObject({
      kind: 'rejected',
      reason: expect.stringContaining('wider refusal'),
    });
    await service.recordConsent(input({ medium: null }), me);
    // The rejected key was not used up.
    expect(await service.recordConsent(key, me)).toMatchObject({ kind: 'recorded', state: { state: 'GRANTED' } });
  });

  test('lets a later grant name one partner after sharing was refused for all', async () => {
    await using opened = await open(TEST_MIGRATIONS);
    const { service, ids } = await threeSubjects(opened.database);
    const sharing = { purpose: 'THIRD_PARTY_SHARING', medium: null } as const;
    const partner = { ...sharing, recipient: 'amazon-marketplace' };
    expect(await service.recordConsent(input(partner), me)).toMatchObject({
      state: { state: 'GRANTED', recipient: 'amazon-marketplace' },
    });
    expect(await service.withdrawConsent(input(sharing), me)).toMatchObject({
      state: { state: 'WITHDRAWN', recipient: null },
    });
    const [states] = await service.consentsOf([ids]);
    expect(states?.map(({ recipient, state }) => [recipient, state])).toEqual([
      [null, 'WITHDRAWN'],
      ['amazon-marketplace', 'WITHDRAWN'],
    ]);
    expect(await service.recordConsent(input(partner), me)).toMatchObject({ state: { state: 'GRANTED' } });
  });

  test('lists the states of several sets in one go: sorted, most restrictive, null for the unknown', async () => {
    await using opened = await open(TEST_MIGRATIONS);
    const { service, ids } = await threeSubjects(opened.database);
    await service.recordConsent(input({ purpose: 'ANALYTICS', medium: null }), me);
    await service.recordConsent(input({ medium: 'SMS', decision: 'DENY' }), me);
    await service.recordConsent(input({ medium: null }), me);
    const [a, b, c] = ids;
    const lists = await service.consentsOf([
      [a, b].filter((id) => id !== undefined),
      [c].filter((id) => id !== undefined),
      [toSubjectId('sub_none')],
      [],
    ]);
    expect(
      lists.map((list) => list?.map(({ purpose, medium, state }) => `${purpose} ${medium ?? '*'} ${state}`) ?? null),
    ).toEqual([
      ['MARKETING * GRANTED', 'MARKETING SMS DENIED', 'ANALYTICS * GRANTED'],
      ['MARKETING SMS DENIED'],
      null,
      [],
    ]);
  });

  test('throws LEDGER_UNAVAILABLE when the ledger fails, and BAD_USER_INPUT for an absurd key', async () => {
    await using opened = await open(consentMigrations);
    const subject = toSubjectId('sub_a');
    const members = membersPort({ cus_me: { members: [subject], proven: [subject] } });
    const service = createConsentService({ database: opened.database, members, cipher: plainCipher, recipients: [] });
    await expect(service.recordConsent(input(), me)).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    await expect(service.consentsOf([[subject]])).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    await expect(service.recordConsent(input({ idempotencyKey: '' }), me)).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
    });
    const rows = await opened.database.as<ConsentTables>().read.selectFrom('consent_event').selectAll().execute();
    expect(rows).toEqual([]);
  });
});
