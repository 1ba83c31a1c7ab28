import { afterEach, describe, expect, it } from 'vitest';

import { loners } from '#test/support/customers.ts';
import { useProduct } from '#test/support/use-product.ts';

const product = useProduct();
afterEach(async () => {
  await product().reset();
});

const QUERY = `{ products(first: 3) { nodes { sku title price(channel: "web") { value { amount } }
  availability(channel: "web") { reason quantity { value provenance { degraded stale inputs { system } } } } } } }`;

/** Somebody only the CRM knows, and who may read everything of them. */
async function crmCustomer() {
  const { token, world } = product();
  const [profile] = loners(await world(), 'crm').filter(({ email }) => email !== null);
  const by = { external: { system: 'crm', externalId: profile?.externalId } };
  return { token: await token('privacy-officer'), variables: { by } };
}

describe('a system that fails costs its own fields only', () => {
  it('answers stock without the tills, flagged and lower, when they are down', async () => {
    const { ask, token, fault } = product();
    const storefront = await token('storefront');
    const whole = await ask(QUERY, { token: storefront });
    await fault({ system: 'pos', fault: 'error', value: 1 });
    const answer = await ask(QUERY, { token: storefront });
    expect(answer.status).toBe(200);
    answer.data.products.nodes.forEach((node: Record<string, unknown>, index: number) => {
      const before = whole.data.products.nodes[index];
      expect(node).toMatchObject({ sku: before.sku, title: before.title, price: before.price });
    });
    const degraded = answer.data.products.nodes.filter(
      (node: { availability: { quantity: { provenance: { degraded: boolean } } | null } }) =>
        node.availability.quantity?.provenance.degraded === true,
    );
    expect(degraded.length).toBeGreaterThan(0);
    expect(answer.provenance.map(({ system }) => system)).toContain('pos');
  });

  it('answers within the deadline when the CRM hangs, with an error for its fields that names it', async () => {
    const { ask, fault } = product();
    const { token, variables } = await crmCustomer();
    await fault({ system: 'crm', fault: 'hang', value: 1 });
    const answer = await ask(
      'query($by: CustomerKey!) { purposes { id } findCustomer(by: $by) { id email profiles { system } } }',
      { token, variables },
    );
    expect(answer.status).toBe(200);
    expect(answer.elapsedMs).toBeLessThan(5_500);
    expect(answer.data).toMatchObject({ purposes: expect.any(Array), findCustomer: { profiles: [{ system: 'crm' }] } });
    const crm = answer.errors.filter(({ extensions }) => extensions['system'] === 'crm');
    expect(crm).toHaveLength(1);
    expect(crm[0]?.extensions.code).toMatch(/^UPSTREAM_(TIMEOUT|UNAVAILABLE)$/);
    expect(crm[0]?.path).toEqual(['findCustomer', 'email']);
  }, 20_000);

  it('never quotes what a system sent when it sends garbage', async () => {
    const { ask, fault } = product();
    const { token, variables } = await crmCustomer();
    await fault({ system: 'crm', fault: 'garbage', value: 1 });
    const answer = await ask('query($by: CustomerKey!) { findCustomer(by: $by) { id email } }', { token, variables });
    expect(answer.status).toBe(200);
    expect(answer.errors.map(({ extensions }) => extensions.code)).toEqual(['UPSTREAM_CONTRACT']);
    expect(answer.text).not.toMatch(/\\u0000|"value": ?\[|http:\/\/|127\.0\.0\.1/);
  }, 20_000);
});
