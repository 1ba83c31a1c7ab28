import { describe, expect, it } from 'vitest';

import { governedSubgraphs } from '#test/support/governed-subgraphs.ts';
import { CompositionError, composeSubgraphs } from './composition.ts';
import { formatFinding, governanceRules, lintGovernance } from './governance-lint.ts';
import { readSubgraphSdls } from './subgraph-schemas.ts';
import { type GovernanceFault, liveFaults } from '#test/support/live-faults.ts';

const goodSupergraph = composeSubgraphs(governedSubgraphs());

/** Composes where the fault lets it; a fault that federation itself refuses is linted beside the good supergraph. */
function lint(subgraphs: ReturnType<typeof governedSubgraphs>) {
  try {
    return lintGovernance(subgraphs, composeSubgraphs(subgraphs));
  } catch (error) {
    if (!(error instanceof CompositionError)) throw error;
    return lintGovernance(subgraphs, goodSupergraph);
  }
}

const email = 'email: String @personalData(category: "contact.email", purposes: ["SERVICE_SUPPORT", "MARKETING"])';

const faults: readonly GovernanceFault[] = [
  {
    rule: 'classified',
    what: 'a field of a person that is neither',
    where: 'customers',
    from: email,
    to: 'email: String',
    coordinate: 'Customer.email',
  },
  {
    rule: 'classified',
    what: 'a field of a person that is both',
    where: 'customers',
    from: email,
    to: `${email} @publicData`,
    coordinate: 'Customer.email',
  },
  {
    rule: 'registered',
    what: 'an unknown category',
    where: 'orders',
    from: 'behavior.orders',
    to: 'behavior.shoes',
    coordinate: 'Order.total',
  },
  {
    rule: 'registered',
    what: 'an unknown purpose',
    where: 'orders',
    from: '"SERVICE_SUPPORT"])',
    to: '"FUN"])',
    coordinate: 'Order.total',
  },
  {
    rule: 'registered',
    what: 'a governed field of a type without subjects',
    where: 'catalog',
    from: 'name: String',
    to: 'name: String @personalData(category: "loyalty", purposes: ["MARKETING"])',
    coordinate: 'Channel.name',
  },
  {
    rule: 'nullable',
    what: 'a governed field that cannot be null',
    where: 'orders',
    from: 'total: Money ',
    to: 'total: Money! ',
    coordinate: 'Order.total',
  },
  {
    rule: 'nullable',
    what: 'a scoped field that cannot be null',
    where: 'catalog',
    from: 'name: String',
    to: 'name: String! @requiresScopes(scopes: [["catalog:read"]])',
    coordinate: 'Channel.name',
  },
  {
    rule: 'nullable',
    what: 'a root field that cannot be null',
    where: 'catalog',
    from: 'channels: [Channel!]',
    to: 'channels: [Channel!]!',
    coordinate: 'Query.channels',
  },
  {
    rule: 'list-sized',
    what: 'a connection without a size',
    where: 'customers',
    from: /@listSize\(.*\)/,
    to: '',
    coordinate: 'Query.customers',
  },
  {
    rule: 'interface-union',
    what: 'an interface with fewer purposes than its implementer',
    where: 'customers',
    from: '["SERVICE_SUPPORT", "MARKETING"])\n}\n\n"A person',
    to: '["MARKETING"])\n}\n\n"A person',
    coordinate: 'Named.name',
  },
  {
    rule: 'interface-union',
    what: 'an interface without the scope of its implementer',
    where: 'customers',
    from: /(\n {2}name: String @personalData\(.*\))(\n {2}"An address)/,
    to: '$1 @requiresScopes(scopes: [["customers:read"]])$2',
    coordinate: 'Named.name',
  },
  {
    rule: 'same-copies',
    what: 'an @external copy that is not governed',
    where: 'orders',
    from: /@external @personalData\(.*\)/,
    to: '@external @publicData',
    coordinate: 'Customer.email',
  },
  {
    rule: 'same-copies',
    what: 'a copy with another purpose',
    where: 'orders',
    from: '@external @personalData(category: "contact.email", purposes: ["SERVICE_SUPPORT", "MARKETING"])',
    to: '@external @personalData(category: "contact.email", purposes: ["MARKETING"])',
    coordinate: 'Customer.email',
  },
  {
    rule: 'bare-stubs',
    what: 'a stub with a field beside its key',
    where: 'orders',
    from: '"The channel\'s id."\n  id: ID!',
    to: 'id: ID!\n  "Its name."\n  name: String @shareable',
    coordinate: 'Channel.name',
  },
  {
    rule: 'derived-purposes',
    what: 'a derived field with a purpose its input lacks',
    where: 'orders',
    from: 'purposes: ["MARKETING"]',
    to: 'purposes: ["PERSONALIZATION"]',
    coordinate: 'Customer.gravatar',
  },
  {
    rule: 'derived-purposes',
    what: 'a derived field that calls itself public',
    where: 'orders',
    from: /@requires\(fields: "email"\) @personalData\(.*\)/,
    to: '@requires(fields: "email") @publicData',
    coordinate: 'Customer.gravatar',
  },
  {
    rule: 'open-keys',
    what: 'a governed field in a key',
    where: 'customers',
    from: '@key(fields: "id")',
    to: '@key(fields: "id") @key(fields: "email")',
    coordinate: 'Customer.email',
  },
  {
    rule: 'plain-field-sets',
    what: 'an argument inside @requires',
    where: 'orders',
    from: '@requires(fields: "email")',
    to: '@requires(fields: "email(limit: 3)")',
    coordinate: 'Customer.gravatar',
  },
  {
    rule: 'one-composite-key',
    what: 'two composite keys',
    where: 'catalog',
    from: '@key(fields: "id")',
    to: '@key(fields: "id") @key(fields: "id name") @key(fields: "name id")',
    coordinate: 'Channel',
  },
  {
    rule: 'described',
    what: 'a field without a description',
    where: 'catalog',
    from: '"Its name; null when it has none."',
    to: '',
    coordinate: 'Channel.name',
  },
  {
    rule: 'described',
    what: 'a type without a description',
    where: 'customers',
    from: '"A page of people."',
    to: '',
    coordinate: 'CustomerConnection',
  },
  {
    rule: 'owned',
    what: 'a type without an owner',
    where: 'customers',
    from: 'type CustomerConnection @owner(team: "identity")',
    to: 'type CustomerConnection',
    coordinate: 'CustomerConnection',
  },
  {
    rule: 'same-subjects',
    what: 'a second declaration without its subject',
    where: 'orders',
    from: 'type Customer @key(fields: "id") @subject(path: "subjects")',
    to: 'type Customer @key(fields: "id")',
    coordinate: 'Customer',
  },
  {
    rule: 'same-subjects',
    what: 'another owner in a second declaration',
    where: 'orders',
    from: '@owner(team: "identity")',
    to: '@owner(team: "orders")',
    coordinate: 'Customer',
  },
  {
    rule: 'same-subjects',
    what: 'an owner on a stub',
    where: 'orders',
    from: 'resolvable: false)',
    to: 'resolvable: false) @owner(team: "catalog")',
    coordinate: 'Channel',
  },
  {
    rule: 'resolved-subjects',
    what: 'a type about people that does not resolve references',
    where: 'customers',
    from: '@key(fields: "id")',
    to: '@key(fields: "id") @key(fields: "name", resolvable: false)',
    coordinate: 'Customer',
  },
  {
    rule: 'resolved-subjects',
    what: 'subjects under another name',
    where: 'customers',
    from: 'path: "subjects"',
    to: 'path: "id"',
    coordinate: 'Customer',
  },
  {
    rule: 'shared-header',
    what: 'a link of its own',
    where: 'catalog',
    from: '"Goods."',
    to: 'extend schema @link(url: "https://example.test/x/v1.0")\n"Goods."',
    coordinate: 'schema',
  },
  ...liveFaults,
];

describe('the governance lint', () => {
  it('finds nothing wrong with subgraphs that keep every rule', () => {
    expect(lintGovernance(governedSubgraphs(), goodSupergraph).map(formatFinding)).toEqual([]);
  });

  it.each(faults)('finds $what ($rule)', ({ rule, where, from, to, coordinate }) => {
    let changed = false;
    const subgraphs = governedSubgraphs({
      [where]: (text: string) => {
        const next = text.replace(from, to);
        changed = next !== text;
        return next;
      },
    });
    expect(changed).toBe(true);
    expect(lint(subgraphs)).toContainEqual(expect.objectContaining({ rule, coordinate }));
  });

  it('finds a directive that composition dropped', () => {
    const dropped = goodSupergraph.replace(/(\n {2}total: Money[^\n]*?) @personalData\([^)]*\)/, '$1');
    expect(dropped).not.toBe(goodSupergraph);
    const findings = lintGovernance(governedSubgraphs(), dropped);
    expect(findings.map((finding) => [finding.rule, finding.coordinate])).toEqual([
      ['reaches-supergraph', 'Order.total'],
    ]);
    const noSubject = goodSupergraph
      .replaceAll(/ @subject\(path: "subjects"\)/g, '')
      .replaceAll(/\n +@subject\(path: "subjects"\)/g, '');
    expect(lintGovernance(governedSubgraphs(), noSubject)).toContainEqual(
      expect.objectContaining({ rule: 'reaches-supergraph', coordinate: 'Order' }),
    );
  });

  it('finds a directive that means something else in one subgraph', () => {
    const subgraphs = governedSubgraphs().map(({ name, sdl }) => ({
      name,
      sdl: name === 'orders' ? sdl.replace('directive @publicData on', 'directive @publicData(x: Int) on') : sdl,
    }));
    expect(lintGovernance(subgraphs, goodSupergraph)).toContainEqual(
      expect.objectContaining({ rule: 'shared-header', coordinate: '@publicData', subgraph: 'orders' }),
    );
  });

  it('has a planted fault for every rule', () => {
    const planted = new Set([...faults.map((fault) => fault.rule), 'reaches-supergraph']);
    expect(planted.size).toBe(governanceRules.length);
  });

  it('finds nothing wrong with the subgraphs of this repository', () => {
    const subgraphs = readSubgraphSdls();
    if (subgraphs.length === 0) return;
    expect(lintGovernance(subgraphs, composeSubgraphs(subgraphs)).map(formatFinding)).toEqual([]);
  });
});
