import { existsSync, readdirSync } from 'node:fs';
import { expect, it } from 'vitest';

import { CONNECTOR_NAMES } from './connector-names.ts';
import { CONNECTOR_EXAMPLES } from './connector-examples.ts';
import { CONNECTORS, withRetailDefaults } from './connectors.ts';
import { fileConfig } from './config-schema.ts';
import { findMissingPorts } from './config-references.ts';
import { toSystemId } from '#schema/model/ids.ts';
import type { SystemConfig } from '#schema/model/configuration.ts';
import { PORT_NAMES, type PortName } from '#schema/model/sources.ts';

/** The kinds of records are the ports'; consents and their like are plural everywhere. */
const KINDS: readonly string[] = [...PORT_NAMES.filter((port) => port !== 'marketingConsents'), 'consents'];
const VERBS = ['read', 'feed', 'witness', 'write', 'adjust', 'publish', 'step', 'erase'];

it('knows every connector there is, by the name of its folder', () => {
  const root = new URL('../connectors/', import.meta.url);
  const folders = readdirSync(root).filter((name) => existsSync(new URL(`${name}/connector.ts`, root)));
  expect([...CONNECTOR_NAMES].toSorted()).toEqual(folders);
  for (const name of CONNECTOR_NAMES) expect(CONNECTORS[name].id).toBe(name);
});

it('refuses roles a connector cannot fill, and names those that can', () => {
  const system = (id: string, connector: string) => ({ id, connector, url: 'http://127.0.0.1:1' });
  const config = fileConfig.parse({
    issuer: { url: 'http://127.0.0.1:1', audience: 'mortar' },
    systems: [system('erp', 'erp-business-central'), system('crm', 'crm-hubspot'), system('pos', 'pos-square')],
    retail: {
      channels: [{ id: 'web', name: 'Web', kind: 'WEB', priceSystem: 'crm', locationKinds: ['STORE'] }],
      authorities: [{ system: 'erp', locationKinds: ['STORE'] }],
    },
  });
  const offering = (id: string, connector: string, ports: readonly PortName[]) => ({
    system: toSystemId(id),
    connector,
    ports: ports.map((port) => ({ port, live: true, feed: null, freshnessMs: null, nets: [] })),
  });
  const findings = findMissingPorts(config, [
    offering('erp', 'erp-business-central', ['items', 'orders']),
    offering('crm', 'crm-hubspot', ['profiles']),
    offering('pos', 'pos-square', ['items', 'stock']),
  ]);
  expect(findings.map(({ message }) => message)).toEqual([
    'retail.channels.0.priceSystem names crm, whose connector crm-hubspot has no items; those that have: erp, pos',
    'retail.authorities.0.system names erp, whose connector erp-business-central has no stock; those that have: pos',
  ]);
});

it.each(CONNECTOR_NAMES)(
  'has an example of %s that its connector accepts, with every credential by reference',
  (name) => {
    const example = { connector: name, ...CONNECTOR_EXAMPLES[name] };
    expect(() => CONNECTORS[name].settings(example)).not.toThrow();
    for (const text of Object.values(example.credentials)) expect(text).toMatch(/^\$\{[A-Z_]+\}$/);
  },
);

it.each(CONNECTOR_NAMES)('gives %s the retailer’s currency where it has an option for it', (name) => {
  const example = { connector: name, ...CONNECTOR_EXAMPLES[name] };
  const { currency: _own, ...options } = example.options;
  const read = (system: SystemConfig) => CONNECTORS[name].settings(system) as { readonly currency?: string };
  const takesCurrency = (() => {
    try {
      return read({ ...example, options: { ...options, currency: 'EUR' } }).currency === 'EUR';
    } catch {
      return false;
    }
  })();
  const inherited = read(withRetailDefaults({ ...example, options }, { currency: 'SEK' }));
  expect(inherited.currency).toBe(takesCurrency ? 'SEK' : undefined);
  if (!takesCurrency) return;
  const stated = withRetailDefaults({ ...example, options: { ...options, currency: 'NOK' } }, { currency: 'SEK' });
  expect(read(stated).currency).toBe('NOK');
});

it.each(CONNECTOR_NAMES)('can ask %s whether it takes our credentials, without a key of it', (name) => {
  const { check, ports } = CONNECTORS[name];
  const asksNoKey = [
    ports.locations,
    ports.itemFeed,
    ports.stockFeed,
    ports.profileFeed,
    ports.orderFeed,
    ports.signalFeed,
  ];
  expect(check !== undefined || asksNoKey.some((port) => port !== undefined)).toBe(true);
});

it('calls one thing by one name in all capabilities', () => {
  const named = CONNECTOR_NAMES.flatMap((name) => CONNECTORS[name].capabilities);
  const isKnown = (capability: string): boolean => {
    const [kind = '', verb = ''] = capability.split(':');
    return KINDS.includes(kind) && VERBS.includes(verb);
  };
  expect(named.filter((capability) => !isKnown(capability))).toEqual([]);
});
