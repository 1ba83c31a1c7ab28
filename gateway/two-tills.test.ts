import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'graphql';
import { expect, it, vi } from 'vitest';

import { loadConfig, readEnvironment } from './config.ts';
import { createGraph } from './wiring.ts';
import { systemClock } from '#platform/clock.ts';
import { silentLogger } from '#platform/log.ts';
import { createErpVendor } from '#sandbox/vendors/erp-business-central.ts';
import { createSquareVendor } from '#sandbox/vendors/pos-square.ts';
import type { Vendor, World } from '#sandbox/world/types.ts';
import { writeFiles } from '#sandbox/write-files.ts';
import { aRequest } from '#test/support/people-subgraph.ts';
import { tinyWorld } from '#test/support/tiny-world.ts';
import { serveVendor } from '#test/support/vendor-server.ts';

/** A world with some of its places only: what one of two Square accounts knows. */
function onlyPlaces(world: World, codes: readonly string[]): World {
  const stock = [...world.stock].filter(([, { place }]) => codes.includes(place));
  return { ...world, places: world.places.filter(({ code }) => codes.includes(code)), stock: new Map(stock) };
}

/** One ERP and two Square accounts, each with a store of its own, over real HTTP. */
async function startTwoTills() {
  const world = tinyWorld();
  for (const row of world.stock.values()) row.onHand += 10;
  const options = { nowMs: Date.now };
  const accounts: readonly (readonly [string, Vendor, World])[] = [
    ['erp', createErpVendor(options), world],
    ['till-north', createSquareVendor(options), onlyPlaces(world, ['S01'])],
    ['till-south', createSquareVendor(options), onlyPlaces(world, ['S02'])],
  ];
  const servers = await Promise.all(
    accounts.map(([, vendor, seen]) => serveVendor((call) => vendor.handler(call, seen))),
  );
  const systems = accounts.map(([id, vendor], index) => ({
    id,
    connector: vendor.connector,
    url: servers[index]?.url,
    credentials: vendor.credentials,
    options: vendor.options,
  }));
  const home = mkdtempSync(join(tmpdir(), 'mortar-tills-'));
  const channel = { id: 'store', name: 'Stores', kind: 'STORE', priceSystem: 'till-south', locationKinds: ['STORE'] };
  const configuration = {
    issuer: { url: 'http://127.0.0.1:1', audience: 'mortar' },
    systems,
    retail: {
      channels: [channel],
      locations: [{ system: 'till-south', externalId: world.places[1]?.ids.pos, zone: 'RURAL' }],
      authorities: [
        { system: 'till-north', locationKinds: ['STORE'] },
        { system: 'till-south', locationKinds: ['STORE'] },
      ],
    },
  };
  const { configFile } = await writeFiles({ home, configuration, consents: [] });
  const ports = { port: 0, metricsPort: 0, sandboxPort: 0, controlPort: 0 };
  const flags = { home, host: '127.0.0.1', ...ports, scale: 'small' as const, seed: 1 };
  const environment = readEnvironment({});
  const config = loadConfig({ file: configFile, flags, environment, sandbox: false });
  const graph = await createGraph(config, { clock: systemClock, logger: silentLogger, onUpstreamCall: () => {} });
  await vi.waitFor(() => expect(graph.readiness().firstLoadDone).toBe(true), { timeout: 20_000 });
  const ask = async (name: string, query: string) => {
    const subgraph = graph.subgraphs.find((entry) => entry.name === name);
    const request = aRequest({}, ['catalog:read', 'inventory:read', 'systems:read']);
    const result = await subgraph?.execute({ document: parse(query), variables: {}, request });
    expect(result?.errors).toEqual([]);
    return JSON.parse(JSON.stringify(result?.data));
  };
  return {
    world,
    ask,
    async [Symbol.asyncDispose]() {
      await graph.close();
      await Promise.all(servers.map((server) => server.close()));
      rmSync(home, { recursive: true });
    },
  };
}

it('counts two accounts of one connector each at its own stores, and sums their promises once', async () => {
  await using tills = await startTwoTills();
  const { world, ask } = tills;
  const { locations } = await ask('inventory', '{ locations(kinds: [STORE]) { nodes { id name zone } } }');
  expect(locations.nodes).toHaveLength(2);
  expect(locations.nodes.filter(({ zone }: { zone: string }) => zone === 'RURAL')).toHaveLength(1);
  const query = `{ availability(skus: ["A1"], channel: "store") { quantity { value }
    locations { location { name } quantity { value provenance { inputs { system } } } } } }`;
  const [answer] = (await ask('inventory', query)).availability;
  const promised = ['S01', 'S02'].map((code) => {
    const row = world.stock.get(`A1@${code}`);
    return Math.max(0, (row?.onHand ?? 0) - (row?.committed ?? 0));
  });
  expect(answer.quantity.value).toBe((promised[0] ?? 0) + (promised[1] ?? 0));
  expect(promised.every((units) => units > 0)).toBe(true);
  const sources = answer.locations.map(
    (place: { quantity: { provenance: { inputs: { system: string }[] } } }) =>
      place.quantity.provenance.inputs[0]?.system,
  );
  expect(sources.toSorted()).toEqual(['till-north', 'till-south']);
  const { systems } = await ask('catalog', '{ systems { id connector state } }');
  expect(systems.map(({ id, connector }: { id: string; connector: string }) => [id, connector])).toEqual([
    ['erp', 'erp-business-central'],
    ['till-north', 'pos-square'],
    ['till-south', 'pos-square'],
  ]);
});
