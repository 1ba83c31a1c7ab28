import { describe, expect, it } from 'vitest';

import { assertServable } from './servable.ts';
import { composeSubgraphs } from '#gateway/composition.ts';
import { readSubgraphSdls } from '#gateway/subgraph-schemas.ts';
import { readSupergraph } from '#gateway/supergraph.ts';

const ours = readSupergraph();
const context = (name: string) => ({ name, trust: 'context' as const });
const guards = ['catalog', 'inventory', 'customers', 'orders', 'consent'].map(context);
const LINK =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@external", "@requires", "@override", "@shareable", "@requiresScopes", "@interfaceObject"])';
const withForeign = (sdl: string): string =>
  composeSubgraphs([...readSubgraphSdls(), { name: 'reviews', sdl: `${LINK}\n${sdl}` }]);
const check = (sdl: string, subgraphs = guards): void => assertServable(sdl, { subgraphs, references: [ours] });

describe('assertServable', () => {
  it('accepts the product’s own supergraph, a stricter one and one with fields of others beside it', () => {
    expect(() => check(ours)).not.toThrow();
    expect(() => check(ours.replaceAll('"MARKETING", ', ''))).not.toThrow();
    expect(() =>
      check(withForeign('type Product @key(fields: "sku") { sku: Sku! stars: Float } scalar Sku')),
    ).not.toThrow();
  });

  it('refuses what is not followed here, whoever answers it', () => {
    const labelled = `type Product @key(fields: "sku") { sku: Sku! brand: String @override(from: "catalog", label: "percent(1)") } scalar Sku`;
    expect(() => check(withForeign(labelled))).toThrow(/labels are not followed here/);
  });

  it('accepts a supergraph of others alone, whatever its types are called', () => {
    const theirs = composeSubgraphs([
      { name: 'theirs', sdl: `${LINK} type Query { customer: Customer } type Customer { name: String email: String }` },
    ]);
    expect(() => check(theirs)).not.toThrow();
  });

  it.each([
    [
      'consent that went',
      / @personalData\(category: "identity\.name"[^)]*\)/g,
      '',
      /Customer\.name is no longer @personal/,
    ],
    ['scopes that went', /(email: .*) @requiresScopes\([^)]*\)/g, '$1', /Customer\.email asks for fewer scopes/],
    [
      'one purpose more',
      /(category: "contact\.email", purposes: \[)/g,
      '$1"ADS", ',
      /Customer\.email now also serves ADS/,
    ],
    ['people that are none', / @subject\(path: "[^)]*\)/g, '', /Customer lost its @subject/],
  ])('refuses %s', (_, rule, instead, message) => {
    expect(() => check(ours.replace(rule, instead))).toThrow(message);
  });

  it('refuses personal fields that a subgraph answers which is told nothing of the caller', () => {
    expect(() =>
      check(
        ours,
        guards.filter(({ name }) => name !== 'customers'),
      ),
    ).toThrow(/Customer\.email is personal, and the subgraph customers is told nothing/);
  });

  it('refuses fields of people that say nothing of themselves', () => {
    expect(() => check(withForeign('type Customer @key(fields: "id") { id: ID! nickname: String }'))).toThrow(
      /Customer\.nickname is about a person: it must be @publicData, since the subgraph reviews/,
    );
  });

  it('refuses a @requires that hands a personal field to others', () => {
    const asks = `type Customer @key(fields: "id") { id: ID! email: String @external
      greeting: String @requires(fields: "email") @requiresScopes(scopes: [["customers:read"]]) }`;
    expect(() => check(withForeign(asks))).toThrow(
      /Customer\.email is personal and would be handed over by @key or @requires; the subgraph reviews/,
    );
  });

  it('refuses an interface known as an object that gives fields to people, and personal fields by @provides', () => {
    const foreign = composeSubgraphs([
      ...readSubgraphSdls(),
      {
        name: 'parties',
        sdl: `${LINK} interface Party @key(fields: "id") { id: ID! }
        type Customer implements Party @key(fields: "id") { id: ID! }`,
      },
      { name: 'reviews', sdl: `${LINK} type Party @key(fields: "id") @interfaceObject { id: ID! nickname: String }` },
    ]);
    expect(() => check(foreign)).toThrow(/Party\.nickname is about a person: it must be @publicData/);
    const provided = ours
      .replace(
        'enum join__Graph {',
        'enum join__Graph {\n  REVIEWS @join__graph(name: "reviews", url: "http://127.0.0.1:1")',
      )
      .replace('customers(', 'best: Customer @join__field(graph: REVIEWS, provides: "email")\n  customers(');
    expect(() => check(provided)).toThrow(/Customer\.email is personal and would be answered by @provides/);
  });

  it('refuses a key that holds a personal field, also by an interface', () => {
    const keyed = (type: string) =>
      ours
        .replace(
          'enum join__Graph {',
          'enum join__Graph {\n  REVIEWS @join__graph(name: "reviews", url: "http://127.0.0.1:1")',
        )
        .concat(type);
    const byInterface = keyed(
      'interface Party @join__type(graph: REVIEWS, key: "id email", isInterfaceObject: true) { id: ID! email: String }',
    ).replace('type Customer\n', 'type Customer implements Party\n');
    expect(() => check(byInterface)).toThrow(/Customer\.email is personal and would be handed over by @key/);
  });
});
