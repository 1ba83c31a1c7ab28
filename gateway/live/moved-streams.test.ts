import { extendSchema, parse } from 'graphql';
import { expect, it } from 'vitest';

import { composeSubgraphs } from '#gateway/composition.ts';
import { createChanges } from '#platform/changes.ts';
import type { Subgraph } from '#platform/subgraph.ts';
import { createFixtureGateway, createFixtureSubgraphs, startTestIssuer } from '#test/support/gateway.ts';
import { subscribeTo } from '#test/support/live.ts';

const HERE_TOO = parse('type Subscription { customerChanged(id: ID!): Customer }');

it('a stream breaks and comes again when another supergraph has its source elsewhere, and no other does', async () => {
  const issuer = await startTestIssuer();
  const elsewhere = createChanges({ key: new Uint8Array(32) });
  const watch: Subgraph['watch'] = ({ arguments: { id }, onChange }) =>
    Promise.resolve(elsewhere.watch('customer', [String(id)], onChange));
  const gateway = await createFixtureGateway({
    issuer,
    wrap: (subgraph) =>
      subgraph.name === 'shop' ? { ...subgraph, watch, schema: extendSchema(subgraph.schema, HERE_TOO) } : subgraph,
  });
  const { behavior, supergraph, metrics } = gateway;
  const url = `${await gateway.app.listen({ host: '127.0.0.1', port: 0 })}/graphql`;
  const headers = { authorization: `Bearer ${await issuer.issue()}`, 'mortar-purpose': 'SERVICE_SUPPORT' };
  const live = subscribeTo(url, { query: 'subscription { customerChanged(id: 1) { points } }', headers, retries: 1 });
  const other = subscribeTo(url, { query: 'subscription { found(ids: [1]) { id } }', headers });
  await Promise.all([live.next(), other.next()]);

  const before = composeSubgraphs(createFixtureSubgraphs(behavior));
  const after = before
    .replace('type Subscription\n  @join__type(graph: PEOPLE)', '$&\n  @join__type(graph: SHOP)')
    .replace('customerChanged(id: ID!): Customer', '$& @join__field(graph: SHOP)')
    .replace(
      'found(ids: [ID!]!): [Customer!] @live',
      'found(ids: [ID!]!): [Customer!] @join__field(graph: PEOPLE) @live',
    );
  expect(await supergraph.offer(`${before}\n# the same to streams`)).toBe('swapped');
  expect(await supergraph.offer(after)).toBe('swapped');
  expect(await live.next()).toMatchObject({ data: { customerChanged: { points: 10 } } });
  behavior.points = () => 11;
  elsewhere.publish('customer', ['1']);
  expect(await live.next()).toMatchObject({ data: { customerChanged: { points: 11 } } });
  expect([live.connections(), other.connections(), behavior.changes.watcherCount()]).toEqual([2, 1, 1]);
  expect((await metrics.render()).text).toMatch(/ended_total\{field="customerChanged",reason="moved"\} 1/);

  live.leave();
  other.leave();
  await gateway.close();
  await issuer.close();
});
