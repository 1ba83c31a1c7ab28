import { describe, expect, it } from 'vitest';

import { useProduct } from '#test/support/use-product.ts';

const product = useProduct();
const EMAILS = '{ customers(first: 5) { nodes { id email } } }';

describe('purpose', () => {
  it('refuses the whole request with 400 PURPOSE_REQUIRED when a governed field is selected and none is declared', async () => {
    const answer = await product().ask(EMAILS, { token: await product().token('marketer') });
    expect(answer.status).toBe(400);
    expect(answer.errors).toMatchObject([{ extensions: { code: 'PURPOSE_REQUIRED' } }]);
  });

  it('takes the only purpose of a token as declared', async () => {
    const answer = await product().ask(EMAILS, { token: await product().token('privacy-officer') });
    expect(answer).toMatchObject({ status: 200, errors: [], consent: [] });
    expect(answer.data.customers.nodes.some(({ email }: { email: string | null }) => email !== null)).toBe(true);
  });

  it('refuses an unknown purpose with 400 BAD_USER_INPUT', async () => {
    const answer = await product().ask(EMAILS, { token: await product().token('marketer'), purpose: 'GOSSIP' });
    expect(answer.status).toBe(400);
    expect(answer.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });

  it.each([
    ['a purpose the token lacks', 'ORDER_FULFILLMENT', 403, 'PURPOSE_NOT_ALLOWED'],
    ['two purposes', 'MARKETING, PERSONALIZATION', 400, 'BAD_USER_INPUT'],
  ])('refuses %s', async (_, purpose, status, code) => {
    const answer = await product().ask(EMAILS, { token: await product().token('marketer'), purpose });
    expect(answer.status).toBe(status);
    expect(answer.errors).toMatchObject([{ extensions: { code } }]);
  });

  it('answers null and PURPOSE_NOT_ALLOWED without an error when the field never serves the purpose', async () => {
    const answer = await product().ask('{ customers(first: 3) { nodes { id email name } } }', {
      token: await product().token('marketer'),
      purpose: 'PERSONALIZATION',
    });
    expect(answer).toMatchObject({ status: 200, errors: [] });
    for (const node of answer.data.customers.nodes) expect(node.email).toBeNull();
    expect(answer.consent).toContainEqual(
      expect.objectContaining({
        coordinate: 'Customer.email',
        purpose: 'PERSONALIZATION',
        reason: 'PURPOSE_NOT_ALLOWED',
      }),
    );
  });

  it('fetches nothing from the CRM for a field whose cell is a dash', async () => {
    const { ask, token, calls } = product();
    const before = await calls();
    const answer = await ask('{ customers(first: 3) { nodes { id email phone name addresses { city } } } }', {
      token: await token('partner-marketplace'),
      purpose: 'THIRD_PARTY_SHARING',
    });
    expect(answer).toMatchObject({ status: 200, errors: [] });
    expect(answer.data.customers.nodes).toEqual([]);
    const after = await calls();
    const reads = (counts: typeof before): number => counts.crm['POST /crm/v3/objects/contacts/batch/read'] ?? 0;
    expect(reads(after)).toBe(reads(before));
  });
});

describe('scope', () => {
  it('answers null and one SCOPE_REQUIRED error with its occurrences where a scope is missing', async () => {
    const answer = await product().ask('{ products(first: 3) { nodes { sku } } orders(first: 3) { nodes { id } } }', {
      token: await product().token('storefront'),
    });
    expect(answer.status).toBe(200);
    expect(answer.data.products.nodes).toHaveLength(3);
    expect(answer.data.orders).toBeNull();
    expect(answer.errors).toHaveLength(1);
    expect(answer.errors[0]).toMatchObject({ path: ['orders'], extensions: { code: 'SCOPE_REQUIRED' } });
  });

  it('serves a narrower token no more than it asked for', async () => {
    const token = await product().token('analyst', { scope: 'systems:read' });
    const answer = await product().ask('{ systems { id } products(first: 1) { nodes { sku } } }', { token });
    expect(answer.data.systems).toHaveLength(5);
    expect(answer.data.products).toBeNull();
    expect(answer.errors).toMatchObject([{ path: ['products'], extensions: { code: 'SCOPE_REQUIRED' } }]);
  });

  it('answers 401 without a token', async () => {
    const answer = await product().ask('{ products(first: 1) { nodes { sku } } }');
    expect(answer.status).toBe(401);
    expect(answer.errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
  });
});
