import { ApolloGateway } from '@apollo/gateway';
import { describe, expect, it } from 'vitest';

import { governedSubgraphs } from '#test/support/governed-subgraphs.ts';
import { subgraphSdl } from '#platform/subgraph-sdl.ts';
import { CompositionError, composeSubgraphs, stripSecurity } from './composition.ts';
import { loadGraph } from '#gateway/executor/loaded-graph.ts';
import { readPolicy } from './policy.ts';
import { readSubgraphSdls } from './subgraph-schemas.ts';

const supergraph = composeSubgraphs(governedSubgraphs());

describe('composition', () => {
  it('writes the same supergraph for the same subgraphs in any order, with in-process addresses', () => {
    expect(composeSubgraphs(governedSubgraphs().toReversed())).toBe(supergraph);
    expect(supergraph).toContain('url: "mortar://customers"');
  });

  it('names what does not compose', () => {
    const subgraphs = governedSubgraphs({ catalog: (text) => text.replace('type Channel', 'type Order') });
    expect(() => composeSubgraphs(subgraphs)).toThrow(CompositionError);
    expect(() => composeSubgraphs([])).toThrow('no subgraph');
    expect(() => composeSubgraphs([{ name: 'torn', sdl: 'type Query {' }])).toThrow('[torn] Syntax Error');
  });

  it('strips the mark of the security links it enforces, and nothing else', () => {
    const stripped = stripSecurity(supergraph);
    expect(supergraph).toContain('for: SECURITY');
    expect(stripped).not.toContain('for: SECURITY');
    expect(stripped).toContain('@requiresScopes(scopes: [["customers:read"]])');
    expect(stripped.replaceAll(/\s/g, '')).toBe(supergraph.replaceAll(/,\s*for: SECURITY/g, '').replaceAll(/\s/g, ''));
    expect(readPolicy(stripped)).toEqual(readPolicy(supergraph));
  });

  it.each([
    ['of the small subgraphs', () => supergraph],
    ['of this repository', () => composeSubgraphs(readSubgraphSdls())],
  ])('gives a supergraph that the gateway loads: that %s', async (_which, compose) => {
    process.env['APOLLO_TELEMETRY_DISABLED'] = 'true';
    const silent = { debug() {}, info() {}, warn() {}, error() {} };
    const gateway = new ApolloGateway({ supergraphSdl: stripSecurity(compose()), logger: silent });
    const { schema } = await gateway.load();
    expect(schema.getType('Customer')).toBeDefined();
    await gateway.stop();
  });

  it('leaves @inaccessible to the planner, which takes it out of the API', async () => {
    const sdl = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@inaccessible"])
      type Query { open: Int hidden: Int @inaccessible }`;
    const composed = composeSubgraphs([{ name: 'one', sdl }]);
    expect(stripSecurity(composed)).toContain('inaccessible/v0.2", for: SECURITY');
    expect(Object.keys((await loadGraph(composed)).apiSchema.getQueryType()?.getFields() ?? {})).toEqual(['open']);
  });

  it('refuses a security link that is not enforced here', () => {
    const foreign = supergraph.replace('specs.apollo.dev/requiresScopes/', 'specs.apollo.dev/policy/');
    expect(() => stripSecurity(foreign)).toThrow('https://specs.apollo.dev/policy/v0.1');
    const elsewhere = supergraph.replace(
      'https://specs.apollo.dev/requiresScopes/',
      'https://evil.test/requiresScopes/',
    );
    expect(() => stripSecurity(elsewhere)).toThrow('not enforced here');
  });
});

describe('the policy of a supergraph', () => {
  it('tells scopes, personal data and list sizes by coordinate', () => {
    const policy = readPolicy(supergraph);
    expect(policy.fields.get('Query.customer')).toEqual({
      scopes: [['customers:read']],
      authenticated: false,
      personalData: null,
    });
    expect(policy.fields.get('Customer.email')).toEqual({
      scopes: null,
      authenticated: false,
      personalData: {
        coordinate: 'Customer.email',
        category: 'contact.email',
        purposes: ['SERVICE_SUPPORT', 'MARKETING'],
      },
    });
    expect(policy.fields.has('Customer.id')).toBe(false);
    expect(policy.listSizes.get('Query.customers')).toEqual({
      assumedSize: null,
      slicingArguments: ['first'],
      sizedFields: ['nodes'],
    });
  });

  it('reads @authenticated, @cost and interfaces', () => {
    const sdl = subgraphSdl(`
      type Query { a: Int @authenticated @cost(weight: 5) n: [N!] @listSize(assumedSize: 7) }
      interface N { p: Int @personalData(category: "loyalty", purposes: ["MARKETING"]) }
      type M implements N { p: Int @personalData(category: "loyalty", purposes: ["MARKETING"]) }
    `);
    const policy = readPolicy(composeSubgraphs([{ name: 'one', sdl }]));
    expect(policy.fields.get('Query.a')?.authenticated).toBe(true);
    expect(policy.costs.get('Query.a')).toBe(5);
    expect(policy.listSizes.get('Query.n')?.assumedSize).toBe(7);
    expect(policy.fields.get('N.p')?.personalData?.purposes).toEqual(['MARKETING']);
  });
});
