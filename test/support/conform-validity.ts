// Conformance of what a definition says of itself: it is what its connected system has, and nothing else.
import { describe, expect, it } from 'vitest';

import type { ConnectorDefinition, Ports } from '#connectors/kit/definition.ts';
import type { ConnectedSystem } from '#schema/model/sources.ts';

import { openBench } from './conform-harness.ts';
import type { ConformFixtures } from './conform-harness.ts';

/** The words for what a port can do; one of them stands among the capabilities exactly where the port does. */
const WORDS: Readonly<Record<keyof Ports<never>, readonly string[]>> = {
  items: ['items:read'],
  itemFeed: ['items:feed'],
  stock: ['stock:read'],
  stockFeed: ['stock:feed'],
  stockMoveSink: ['stock:adjust', 'stock:write'],
  stockOfferSink: ['stock:publish'],
  locations: ['locations:read'],
  profiles: ['profiles:read'],
  profileFeed: ['profiles:feed'],
  profileSink: ['profiles:write'],
  erasureSink: ['profiles:erase'],
  loyalty: ['loyalty:read'],
  loyaltyFeed: ['loyalty:feed'],
  orders: ['orders:read'],
  orderFeed: ['orders:feed'],
  orderStepSink: ['orders:step'],
  rates: ['rates:read'],
  tracking: ['tracking:read'],
  servicePoints: ['servicePoints:read'],
  marketingConsents: ['consents:read'],
  marketingConsentSink: ['consents:write'],
  audiences: ['audiences:read'],
  audienceSink: ['audiences:write'],
  signalFeed: ['signals:feed'],
};
/** Items may carry a quantity that is nobody's authority. */
const WITHOUT_A_PORT = ['stock:witness'];

export function conformValidity<S>(definition: ConnectorDefinition<S>, fixtures: () => Promise<ConformFixtures>): void {
  const { ports, limits, capabilities } = definition;
  const declared = Object.entries(ports) as [keyof Ports<never>, object][];

  describe('what it says of itself', () => {
    it('names what it is and what it can do', () => {
      expect(definition.id).toMatch(/^[a-z]+(-[a-z0-9]+)+$/);
      expect([definition.vendor, definition.apiVersion].every((text) => text.length > 1)).toBe(true);
      expect(new Set(capabilities).size).toBe(capabilities.length);
      expect(capabilities.filter((word) => !/^[a-zA-Z]+:[a-z]+$/.test(word))).toEqual([]);
    });

    it('can do what its ports are for, and claims nothing else', () => {
      const told = declared.map(([name]) => [name, WORDS[name].filter((word) => capabilities.includes(word)).length]);
      expect(told).toEqual(declared.map(([name]) => [name, 1]));
      const known = new Set([...declared.flatMap(([name]) => WORDS[name]), ...WITHOUT_A_PORT]);
      expect(capabilities.filter((word) => !known.has(word))).toEqual([]);
    });

    it('has no port it does not name, once connected', async () => {
      const { system } = openBench(definition, await fixtures());
      const missing = (Object.keys(WORDS) as (keyof Ports<never>)[]).filter((name) => ports[name] === undefined);
      expect(missing.filter((name) => system[name] !== undefined)).toEqual([]);
      const { ports: reported } = system;
      const named = declared.filter(([, port]) => !('idempotency' in port));
      const offered = reported.flatMap(({ live, feed }) => [
        ...(live ? ['live'] : []),
        ...(feed === null ? [] : ['feed']),
      ]);
      expect(offered.length).toBe(named.length);
      expect(system.capabilities).toEqual(capabilities);
    });

    it('has limits that let something through, and batches and pauses of some size', async () => {
      const { credentials, options } = await fixtures();
      const config = { id: 'vendor', connector: definition.id, url: 'http://vendor.test', credentials };
      const rules =
        limits.rules?.(definition.settings({ ...config, options: options as Record<string, string> })) ?? [];
      const sizes = [
        limits.concurrency,
        limits.pauseMs,
        ...rules.flatMap((rule) =>
          rule.kind === 'window' ? [rule.limit, rule.windowMs] : [rule.perSecond, rule.burst],
        ),
        ...declared.flatMap(([, port]) => ('max' in port ? [port.max] : 'intervalMs' in port ? [port.intervalMs] : [])),
      ];
      expect(sizes.filter((size) => !(typeof size === 'number' && size > 0))).toEqual([]);
      expect(new Set(rules.map(({ name }) => name)).size).toBe(rules.length);
    });

    it('refuses unknown options and missing credentials, and repeats no value', async () => {
      const { credentials, options } = await fixtures();
      const system = { id: 'vendor', connector: definition.id, url: 'http://vendor.test' };
      const readable = options as Record<string, string>;
      const bad = [
        { ...system, credentials, options: { ...readable, noSuchOption: 'secret-value' } },
        { ...system, credentials: {}, options: readable },
      ];
      for (const config of bad) {
        expect(() => definition.settings(config)).toThrow(expect.objectContaining({ code: 'CONFIGURATION_INVALID' }));
        expect(() => definition.settings(config)).not.toThrow(/secret-value/);
      }
    });

    it('opens no connection before the first call', async () => {
      const bench = openBench(definition, await fixtures());
      expect([bench.calls.length, bench.tokenCalls()]).toEqual([0, 0]);
    });

    // What a connector does not have is told here, so that nobody takes a missing case for a passed one.
    it.each(absentKinds(definition))('has no %s', async (_name, names) => {
      const { system } = openBench(definition, await fixtures());
      expect(names.filter((name) => system[name] !== undefined)).toEqual([]);
    });
  });
}

/** Kinds of things the definition has none of, with what of a connected system would show them. */
function absentKinds<S>({
  ports,
  webhook,
}: ConnectorDefinition<S>): readonly (readonly [string, readonly (keyof ConnectedSystem)[]])[] {
  const names = Object.keys(WORDS) as (keyof Ports<never>)[];
  const isSink = (name: string): boolean => name.endsWith('Sink');
  const isFeed = (name: string): boolean => name.endsWith('Feed');
  const kinds = [
    ['reads by key', names.filter((name) => !isSink(name) && !isFeed(name) && name !== 'locations')],
    ['feeds', names.filter(isFeed)],
    ['writes', names.filter(isSink)],
  ] as const;
  const absent = kinds.filter(([, own]) => own.every((name) => ports[name] === undefined));
  return webhook === undefined ? [...absent, ['webhook', ['webhook', 'webhookSubscription']]] : absent;
}
