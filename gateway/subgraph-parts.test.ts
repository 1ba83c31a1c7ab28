import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

import { bindDomains } from './bound-domains.ts';
import { type Config, SUBGRAPH_NAMES } from './config-schema.ts';
import { openState } from './state.ts';
import { SUBGRAPH_PARTS } from './subgraph-parts.ts';
import { readSubgraphSdls } from './subgraph-schemas.ts';
import { systemClock } from '#platform/clock.ts';
import { createChanges } from '#platform/changes.ts';
import { createCursors } from '#platform/cursors.ts';
import { readFeedStates } from '#platform/feed-cursors.ts';
import { silentLogger } from '#platform/log.ts';
import { retailConfig } from '#schema/model/configuration.ts';
import { toSystemId } from '#schema/model/ids.ts';
import type { ConnectedSystem, FeedSink, FeedSource } from '#schema/model/sources.ts';

async function openDomains() {
  const home = mkdtempSync(join(tmpdir(), 'mortar-parts-'));
  const retail = retailConfig.parse({ channels: [], authorities: [] });
  const keyVariables = { MORTAR_ROOT_KEY: Buffer.alloc(32).toString('base64') };
  // The rest of a configuration plays no part in domains.
  const config = {
    production: false,
    sandbox: false,
    databaseUrl: null,
    redisUrl: null,
    databaseFile: join(home, 'state.sqlite'),
    keyVariables,
    systems: [],
    retail,
  } as unknown as Config;
  const state = await openState(config, systemClock);
  const deps = { clock: systemClock, logger: silentLogger, onUpstreamCall: () => undefined };
  // A system without any port.
  const systems = [{ system: toSystemId('erp'), connector: 'none' } as ConnectedSystem];
  const cursors = createCursors(state.keys.cursor);
  const changes = createChanges({ key: state.keys.changes });
  const domains = bindDomains({ config, deps, state, systems, cursors, changes });
  onTestFinished(async () => {
    await domains.close();
    await state.database.close();
    rmSync(home, { recursive: true });
  });
  return { state, domains };
}

test('every subgraph can be a process, and every kind of feed is read by exactly one of them', async () => {
  const { domains } = await openDomains();
  expect([...SUBGRAPH_NAMES].toSorted()).toEqual(readSubgraphSdls().map(({ name }) => name));
  const kinds = SUBGRAPH_NAMES.flatMap((name) => Object.keys(SUBGRAPH_PARTS[name].sinks(domains)));
  expect(kinds.toSorted()).toEqual(['items', 'loyalty', 'orders', 'profiles', 'stock']);
  expect(SUBGRAPH_NAMES.filter((name) => SUBGRAPH_PARTS[name].importsDecisions === true)).toEqual(['consent']);
});

test('no sink writes a page by a right that is lost', async () => {
  const { state, domains } = await openDomains();
  const sinks = SUBGRAPH_NAMES.flatMap((name) => Object.entries(SUBGRAPH_PARTS[name].sinks(domains)));
  for (const [kind, sink] of sinks as [string, FeedSink<unknown>][]) {
    // A sink reads names alone of a feed.
    const feed = { system: toSystemId('erp'), feed: kind } as FeedSource<unknown>;
    const writing = sink.writePage(feed, { changes: [], cursor: 'next', done: true, fence: 7 });
    await expect(writing).rejects.toThrow(`Another process reads the feed ${kind} of erp by now`);
  }
  expect(await readFeedStates(state.database)).toEqual([]);
});
