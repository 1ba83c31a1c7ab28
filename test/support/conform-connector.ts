// One suite for every connector: what a retailer may rely on whatever the vendor does. A connector ships only green.
import { describe, expect, it } from 'vitest';

import type { ConnectorDefinition } from '#connectors/kit/definition.ts';

import { conformBatch } from './conform-batch.ts';
import { conformFeed } from './conform-feed.ts';
import { openBench, within } from './conform-harness.ts';
import type { ConformFixtures } from './conform-harness.ts';
import { conformWebhook } from './conform-webhook.ts';
import { conformWrite } from './conform-write.ts';

/**
 * Declares the suite for a connector. `open` is called once, before the first test.
 * @example conformConnector(crmHubspot, async () => ({ credentials, options, answer, oracleOf: () => null, keys }));
 */
export function conformConnector<S>(definition: ConnectorDefinition<S>, open: () => Promise<ConformFixtures>): void {
  let opened: Promise<ConformFixtures> | null = null;
  const fixtures = (): Promise<ConformFixtures> => (opened ??= open());
  const ports = Object.entries(definition.ports) as [string, object][];

  describe(`${definition.id} conforms`, () => {
    it('names what it is and what it can do', () => {
      expect(definition.id).toMatch(/^[a-z]+(-[a-z0-9]+)+$/);
      expect([definition.vendor, definition.apiVersion].every((text) => text.length > 1)).toBe(true);
      expect(definition.limits.concurrency).toBeGreaterThan(0);
      expect(new Set(definition.capabilities).size).toBe(definition.capabilities.length);
      expect(definition.capabilities.filter((word) => !/^[a-zA-Z]+:[a-z]+$/.test(word))).toEqual([]);
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

    if (definition.webhook !== undefined) conformWebhook(definition, fixtures);
    for (const [name, port] of ports) {
      if ('idempotency' in port) conformWrite({ definition, name, fixtures });
      else if ('max' in port) conformBatch({ definition, name, fixtures });
      else if ('feed' in port) conformFeed({ definition, name, fixtures });
      else conformLocations(definition, fixtures);
    }
  });
}

function conformLocations<S>(definition: ConnectorDefinition<S>, fixtures: () => Promise<ConformFixtures>): void {
  describe('locations', () => {
    it('gives them all, within the contract', async () => {
      const bench = openBench(definition, await fixtures());
      const found = (await bench.system.locations?.locations(within(5_000))) ?? [];
      expect(found.length).toBeGreaterThan(0);
      expect(new Set(found.map(({ externalId }) => externalId)).size).toBe(found.length);
      expect(bench.violations).toEqual([]);
    });

    it.each([
      ['a 503', () => new Response('{}', { status: 503 }), 'UPSTREAM_UNAVAILABLE'],
      ['HTML', () => new Response('<html></html>'), 'UPSTREAM_CONTRACT'],
      ['a text', () => new Response('"x"'), 'UPSTREAM_CONTRACT'],
    ])('rejects on %s', async (_name, answer, code) => {
      const bench = openBench(definition, await fixtures(), { fault: async () => answer() });
      await expect(bench.system.locations?.locations(within(1_000))).rejects.toMatchObject({ code, system: 'vendor' });
    });
  });
}
