import { expect, it } from 'vitest';

import { customersOf, profileKey } from '#test/support/customers.ts';
import { useProduct } from '#test/support/use-product.ts';

const product = useProduct();
const VIEW = `query($id: ID!) { customer(id: $id) { id name email
  profiles { id system link { tier evidence linkedAt } provenance { source { system } } } survivorship { field profile reason } } }`;

/** People whose records in CRM and till carry the same loyalty number. Tills never say that an e-mail address is verified. */
async function tiedPeople() {
  const { profiles } = await product().world();
  return [...Map.groupBy(profiles, ({ personId }) => personId).values()].filter((group) => {
    const systems = new Set(group.map(({ system }) => system));
    const numbers = new Set(group.map(({ loyaltyNumber }) => loyaltyNumber));
    return (
      group.length === 2 &&
      systems.size === 2 &&
      numbers.size === 1 &&
      !numbers.has(null) &&
      !group.some(({ isTest }) => isTest)
    );
  });
}

it('joins the records of one person in CRM and till to one customer, and says by which key and whose value each field is', async () => {
  const people = await tiedPeople();
  expect(people.length).toBeGreaterThan(4);
  const ids = await customersOf(product(), people.flat());
  const token = await product().token('privacy-officer');
  for (const group of people.slice(0, 5)) {
    const [first, second] = group.map((profile) => ids.get(profileKey(profile)));
    expect(first).toBeDefined();
    expect(second).toBe(first);
    const answer = await product().ask(VIEW, { token, variables: { id: first } });
    expect(answer.errors).toEqual([]);
    const { customer } = answer.data;
    expect(group.map(({ email }) => email)).toContain(customer.email);
    expect(customer.profiles.map(({ system }: { system: string }) => system).toSorted()).toEqual(['crm', 'pos']);
    for (const { link } of customer.profiles) {
      expect(link).toMatchObject({ tier: 'VERIFIED_KEY', evidence: ['loyaltyNumber'] });
    }
    const known = new Set(customer.profiles.map(({ id }: { id: string }) => id));
    expect(customer.survivorship.map(({ field }: { field: string }) => field)).toEqual(
      expect.arrayContaining(['name', 'email']),
    );
    for (const { profile } of customer.survivorship) expect(known).toContain(profile);
  }
});

it('joins people by phone number and surname with a weaker link, which never widens what the person sees', async () => {
  const { profiles } = await product().world();
  const token = await product().token('privacy-officer');
  const people = [...Map.groupBy(profiles, ({ personId }) => personId).values()].filter(
    (group) =>
      group.length === 2 &&
      group.every(({ phone, loyaltyNumber, isTest }) => phone !== null && loyaltyNumber === null && !isTest),
  );
  const ids = await customersOf(product(), people.flat());
  const joined = people.filter(
    ([a, b]) => a && b && a.system !== b.system && ids.get(profileKey(a)) === ids.get(profileKey(b)),
  );
  expect(joined.length).toBeGreaterThan(5);
  const crm = joined[0]?.find(({ system }) => system === 'crm');
  const id = ids.get(`crm ${crm?.externalId}`) ?? '';
  const record = await product().ask(VIEW, { token, variables: { id } });
  expect(record.data.customer.profiles).toHaveLength(2);
  for (const { link } of record.data.customer.profiles) expect(link.tier).toBe('PHONE_AND_NAME');
  const own = await product().ask(VIEW, {
    token: await product().token('customer-app', { customer: id }),
    variables: { id },
  });
  expect(own.errors).toEqual([]);
  expect(own.data.customer.profiles).toHaveLength(1);
});

it('serves marketplace buyers for fulfillment and service only, each a customer of its own', async () => {
  const { profiles } = await product().world();
  const query = 'query($by: CustomerKey!) { findCustomer(by: $by) { id profiles { system } } }';
  const buyer = profiles.find(({ system, isTest }) => system === 'marketplace' && !isTest);
  const variables = { by: { external: { system: 'marketplace', externalId: buyer?.externalId } } };
  const officer = await product().ask(query, { token: await product().token('privacy-officer'), variables });
  expect(officer).toMatchObject({ status: 200, errors: [], data: { findCustomer: null } });
  const associate = await product().ask(query, {
    token: await product().token('associate'),
    purpose: 'SERVICE_SUPPORT',
    variables,
  });
  expect(associate.data.findCustomer?.profiles).toEqual([{ system: 'marketplace' }]);
});

it('keeps two people apart who share an e-mail address or a phone number but not a birth date or given name', async () => {
  const { profiles } = await product().world();
  const shared = [...Map.groupBy(profiles, ({ email }) => email).entries()]
    .filter(([email, group]) => email !== null && new Set(group.map(({ personId }) => personId)).size > 1)
    .map(([, group]) => group.filter(({ isTest }) => !isTest));
  expect(shared.length).toBeGreaterThan(0);
  const ids = await customersOf(product(), shared.flat());
  for (const group of shared) {
    const customers = new Map(group.map((profile) => [profile.personId, ids.get(profileKey(profile))]));
    expect(new Set(customers.values()).size).toBe(customers.size);
  }
});

it('never shows a test profile', async () => {
  const { profiles } = await product().world();
  const tests = profiles.filter(({ isTest }) => isTest);
  expect(tests.length).toBeGreaterThan(0);
  expect((await customersOf(product(), tests)).size).toBe(0);
});

it('finds a customer by e-mail address only where consent lets the caller read it', async () => {
  const query = 'query($by: CustomerKey!) { findCustomer(by: $by) { id } }';
  const { profiles } = await product().world();
  const verified = profiles.find(({ system, emailVerified, isTest }) => system === 'crm' && emailVerified && !isTest);
  const by = { email: verified?.email };
  const officer = await product().ask(query, { token: await product().token('privacy-officer'), variables: { by } });
  expect(officer.data.findCustomer?.id).toMatch(/^cus_/);
  const service = await product().ask(query, {
    token: await product().token('marketer'),
    purpose: 'PERSONALIZATION',
    variables: { by },
  });
  expect(service.data.findCustomer).toBeNull();
  const both = await product().ask(query, {
    token: await product().token('privacy-officer'),
    variables: { by: { ...by, phone: '+441234567890' } },
  });
  expect(both.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
});

it('pages through all customers without a gap or a repeat', async () => {
  const token = await product().token('privacy-officer');
  const seen: string[] = [];
  let total = 0;
  let after: string | null = null;
  do {
    const answer = await product().ask(
      'query($after: String) { customers(first: 100, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } totalCount } }',
      { token, variables: { after } },
    );
    expect(answer.errors).toEqual([]);
    const page: { nodes: { id: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string }; totalCount: number } =
      answer.data.customers;
    seen.push(...page.nodes.map(({ id }) => id));
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    total = page.totalCount;
  } while (after !== null);
  expect(seen).toHaveLength(total);
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen.length).toBeGreaterThan(250);
});
