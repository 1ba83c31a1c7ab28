import { readFileSync } from 'node:fs';
import { parse, validate } from 'graphql';
import { beforeAll, describe, expect, it } from 'vitest';

import { apiSchemaOf } from '#gateway/api-schema.ts';
import { EXAMPLES } from '#gateway/web/examples.ts';
import { subscribeTo } from '#test/support/live.ts';
import { documentsIn, readmeBlocks, runReadmeTour, type Tour } from '#test/support/readme-tour.ts';
import { useProduct } from '#test/support/use-product.ts';

const product = useProduct();

describe('the tour of the README', () => {
  let tour: Tour;
  beforeAll(async () => {
    tour = await runReadmeTour(product());
  }, 120_000);
  const answersOf = (text: string) =>
    tour.steps.filter(({ block }) => block.includes(text)).flatMap(({ answers }) => answers);

  it('runs to its end without an error in any answer', () => {
    expect({ code: tour.code, stderr: tour.stderr }).toEqual({ code: 0, stderr: '' });
    const answers = tour.steps.flatMap((step) => step.answers);
    const calls = tour.steps.flatMap(({ block }) => [...block.matchAll(/^curl /gm)]);
    expect(answers.length).toBe(calls.length);
    expect(calls.length).toBeGreaterThanOrEqual(7);
    for (const answer of answers) {
      expect(answer.errors).toBeUndefined();
      expect(Object.values(answer.data)).not.toContain(null);
    }
  });

  it('shows prices, promises and levels with their sources', () => {
    const [shop] = answersOf('query Shop');
    const [levels] = answersOf('witnesses');
    for (const node of shop?.data.products.nodes ?? []) {
      expect(node.price.value.amount).toMatch(/^\d+\.\d\d$/);
      expect(node.availability.quantity.value).toBeGreaterThanOrEqual(0);
      expect(node.availability.quantity.provenance.inputs.length).toBeGreaterThan(0);
    }
    expect(shop?.data.products.nodes).toHaveLength(2);
    const [product_] = levels?.data.products.nodes ?? [];
    expect(product_.stock.nodes).toHaveLength(3);
    expect(product_.stock.nodes.some(({ witnesses }: { witnesses: unknown[] }) => witnesses.length > 0)).toBe(true);
  });

  it('begins a live stream with the state of now', () => {
    const [live] = answersOf('subscription Live');
    expect(live?.data.stockChanged.map(({ sku }: { sku: string }) => sku)).toEqual(['MG-00001', 'MG-00002']);
  });

  it('shows a refusal with its reason beside addresses that are granted', () => {
    const [answer] = answersOf('MARKETER=');
    const emails = answer?.data.customers.nodes.map(({ email }: { email: string | null }) => email) as (
      | string
      | null
    )[];
    expect(emails).toContain(null);
    expect(emails.some((email) => email?.includes('@'))).toBe(true);
    expect(answer?.extensions?.consent).toContainEqual(
      expect.objectContaining({ coordinate: 'Customer.email', reason: 'CONSENT_REQUIRED' }),
    );
  });

  it('withdraws, and the next request no longer sees the address, while the person sees what is theirs', () => {
    const [withdrawn] = answersOf('withdrawConsent');
    expect(withdrawn?.data.withdrawConsent).toMatchObject({
      receipt: expect.stringMatching(/^rcp_/),
      state: { state: 'WITHDRAWN' },
    });
    const [marketer, person] = answersOf('query Me');
    expect(marketer?.data.customer).toEqual({ email: null });
    expect(person?.data.customer.name).not.toBeNull();
    expect(person?.data.customer.email).toContain('@');
    expect(person?.data.customer.consents).toContainEqual(expect.objectContaining({ state: 'WITHDRAWN' }));
  });

  it('shows a partner stock and no person, and an analyst every system', () => {
    const [partner] = answersOf('PARTNER=');
    expect(partner?.data.products.nodes).toHaveLength(2);
    expect(partner?.data.customers.nodes).toEqual([]);
    const [analyst] = answersOf('ANALYST=');
    expect(analyst?.data.systems.map(({ state }: { state: string }) => state)).toEqual(Array(5).fill('UP'));
  });
});

describe('documented queries', () => {
  const queries = EXAMPLES.filter(({ query }) => !query.includes('subscription '));
  const subscriptions = EXAMPLES.filter((example) => !queries.includes(example));
  const schema = apiSchemaOf(readFileSync(new URL('../../schema/supergraph.graphql', import.meta.url), 'utf8'));

  it('fit the schema', async () => {
    const documents = [...(await readmeBlocks()).flatMap(documentsIn), ...EXAMPLES.map(({ query }) => query)];
    expect(documents.length).toBeGreaterThanOrEqual(12);
    for (const document of documents) expect(validate(schema, parse(document))).toEqual([]);
  });

  it.each(queries)('of GraphiQL answer: $title', async ({ client, purpose, query, variables }) => {
    const { ask, token } = product();
    const answer = await ask(query, {
      token: await token(client),
      variables: JSON.parse(variables) as Record<string, unknown>,
      ...(purpose === null ? {} : { purpose }),
    });
    expect(answer).toMatchObject({ status: 200, errors: [] });
    expect(Object.values(answer.data)).not.toContain(null);
  });

  it.each(subscriptions)('of GraphiQL begin with an answer: $title', async ({ client, query, variables }) => {
    const { token, urls } = product();
    const headers = { authorization: `Bearer ${await token(client)}` };
    const live = subscribeTo(urls.graph, {
      query,
      variables: JSON.parse(variables) as Record<string, unknown>,
      headers,
    });
    const first = await live.next();
    live.leave();
    expect(first.errors).toBeUndefined();
    expect(Object.values(first.data ?? { none: null })).not.toContain(null);
  });
});
