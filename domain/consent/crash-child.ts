import { openDatabase } from '#platform/open-database.ts';
import { toCustomerId, toSubjectId } from '#schema/model/ids.ts';
import { createConsentService } from './service.ts';
import { addSubject, aRequest, membersPort, plainCipher, TEST_MIGRATIONS } from './test-kit.ts';

// Run by crash.test.ts as `node crash-child.ts FILE PREFIX`: writes decisions until it is killed and prints every receipt
// it was answered.

const [file = '', prefix = ''] = process.argv.slice(2);
const database = await openDatabase({ location: { kind: 'sqlite', file }, migrations: TEST_MIGRATIONS });
const subject = toSubjectId('sub_a');
const [known] = await createService().consentsOf([[subject]]);
if (known === null) await addSubject(database, subject, { customer_id: 'cus_me' });

const service = createService();
const request = aRequest('customer', { customer: toCustomerId('cus_me') });
for (let turn = 0; ; turn += 1) {
  const input = { customer: 'cus_me', purpose: 'MARKETING', medium: 'EMAIL', recipient: null } as const;
  const decision = turn % 2 === 0 ? 'GRANT' : 'DENY';
  const answer = await service.recordConsent(
    { ...input, decision, notice: null, idempotencyKey: `${prefix}-${turn}` },
    request,
  );
  if (answer.kind === 'recorded') process.stdout.write(`${answer.receipt}\n`);
}

function createService() {
  const members = membersPort({ cus_me: { members: [subject], proven: [subject] } });
  return createConsentService({ database, members, cipher: plainCipher, recipients: [] });
}
