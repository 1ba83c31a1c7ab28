import { printSchema } from 'graphql';
import { describe, expect, it } from 'vitest';

import { governedSubgraphs } from '#test/support/governed-subgraphs.ts';
import { apiSchemaOf } from './api-schema.ts';
import { findBreaks } from './breaking-changes.ts';
import { composeSubgraphs } from './composition.ts';
import type { GovernedName } from '#test/support/governed-subgraphs.ts';

const released = composeSubgraphs(governedSubgraphs());

const replaced = (where: GovernedName, from: string | RegExp, to: string): string => {
  const supergraph = composeSubgraphs(governedSubgraphs({ [where]: (text: string) => text.replace(from, to) }));
  expect(supergraph).not.toBe(released);
  return supergraph;
};

describe('the API of a supergraph', () => {
  it('shows callers no machinery and no directives', () => {
    const text = printSchema(apiSchemaOf(released));
    expect(text).not.toMatch(/join__|link__|@personalData|@owner/);
    expect(text).toContain('gravatar: String');
  });

  it('hides what is inaccessible', () => {
    const supergraph = replaced('catalog', 'name: String', 'name: String @inaccessible');
    expect(printSchema(apiSchemaOf(supergraph))).not.toMatch(/type Channel \{[^}]*name/);
  });
});

describe('breaking changes', () => {
  it('are none between a supergraph and itself, or one with more fields', () => {
    expect(findBreaks(released, released)).toEqual([]);
    const more = replaced('catalog', 'name: String', 'name: String\n  "Its color."\n  color: String');
    expect(findBreaks(released, more)).toEqual([]);
  });

  it('are none when consent is tightened', () => {
    const tighter = replaced('orders', 'purposes: ["MARKETING"]', 'purposes: ["SERVICE_SUPPORT"]');
    expect(findBreaks(tighter, replaced('orders', 'purposes: ["MARKETING"]', 'purposes: []'))).toEqual([]);
  });

  it.each([
    [
      'a removed field',
      'catalog',
      '"Its name; null when it has none."\n  name: String',
      '',
      'Channel.name was removed.',
    ],
    [
      'another type of a field',
      'catalog',
      'name: String',
      'name: Int',
      'Channel.name changed type from String to Int.',
    ],
    [
      'a purpose more',
      'orders',
      'purposes: ["SERVICE_SUPPORT"]',
      'purposes: ["SERVICE_SUPPORT", "MARKETING"]',
      'Order.total now also serves MARKETING.',
    ],
    [
      'another category',
      'orders',
      'behavior.orders',
      'loyalty',
      'Order.total changed its category from behavior.orders to loyalty.',
    ],
    [
      'personal data called public',
      'orders',
      /total: Money @personalData\([^)]*\)/,
      'total: Money @publicData',
      'Order.total is no longer @personalData.',
    ],
    [
      'a scope less',
      'orders',
      ' @requiresScopes(scopes: [["orders:read"]])',
      '',
      'Query.order changed its scopes from [["orders:read"]] to [].',
    ],
    [
      'a scope more',
      'catalog',
      'channels: [Channel!]',
      'channels: [Channel!] @requiresScopes(scopes: [["catalog:read"]])',
      'Query.channels changed its scopes from [] to [["catalog:read"]].',
    ],
    [
      'a lost subject',
      'orders',
      'type Order @key(fields: "id") @subject(path: "subjects")',
      'type Order @key(fields: "id")',
      'Order lost its @subject.',
    ],
    [
      'a lost owner',
      'customers',
      'type CustomerConnection @owner(team: "identity")',
      'type CustomerConnection',
      'CustomerConnection lost its @owner.',
    ],
    [
      'a field that lost its class',
      'orders',
      'channel: Channel @publicData',
      'channel: Channel',
      'Order.channel lost its @publicData.',
    ],
  ] as const)('name %s', (...[, where, from, to, message]) => {
    expect(findBreaks(released, replaced(where, from, to))).toContain(message);
  });

  it('name a lost @authenticated', () => {
    const before = replaced('catalog', 'channels: [Channel!]', 'channels: [Channel!] @authenticated');
    expect(findBreaks(before, released)).toEqual(['Query.channels is no longer @authenticated.']);
  });
});
