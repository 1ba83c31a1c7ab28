import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import type { WriteResult } from '#schema/model/outreach.ts';
import type { StockMove } from '#schema/model/writes.ts';
import { codeOf, connect, definition, echo, scope } from '#test/support/kit-system.ts';
import { sendJson, startUpstream } from '#test/support/scripted-upstream.ts';

import type { FeedDefinition, Ports, WriteDefinition } from './definition.ts';
import type { ProfileDraft } from './draft.ts';

const SLOW_MS = 150;
const startSlow = () =>
  startUpstream(({ body }, response) => {
    setTimeout(() => sendJson(response, echo(body)), SLOW_MS);
  });

const request = { operation: 'slow', method: 'POST', path: '/people', json: { ids: ['1'] } } as const;

/** The test system with a read, a write and a feed that say how long they take. */
function withTimeout(timeoutMs: number): Ports<null> {
  const { profiles } = definition.ports;
  if (profiles === undefined) throw new Error('bound');
  const stockMoveSink: WriteDefinition<StockMove, WriteResult, null> = {
    max: 1,
    idempotency: 'none',
    timeoutMs,
    keyOf: ({ key }) => key,
    request: () => request,
    page: z.unknown(),
    decode: (_body, inputs) => inputs.map(() => ({ kind: 'DONE' })),
  };
  const profileFeed: FeedDefinition<ProfileDraft, null> = {
    feed: 'people',
    intervalMs: 1_000,
    timeoutMs,
    request: () => request,
    page: z.unknown(),
    decode: () => ({ changes: [], cursor: 'next', done: true, rejected: 0 }),
  };
  return { ...definition.ports, profiles: { ...profiles, timeoutMs }, stockMoveSink, profileFeed };
}

const move: StockMove = {
  key: 'k',
  kind: 'SOLD',
  externalId: '1',
  locationExternalId: 'L',
  units: 1,
  at: '2026-01-01T00:00:00.000Z',
};

/** What each kind of call answers a system that takes its time. */
async function askAll(timeoutMs: number, options: Readonly<Record<string, number>> = {}): Promise<readonly string[]> {
  await using upstream = await startSlow();
  await using crm = connect(upstream.url, { definition: { ports: withTimeout(timeoutMs) }, options });
  const answers = await Promise.all([
    crm.read(['1'], scope(1_000)),
    crm.system.stockMoveSink?.writeMoves([move], scope(1_000)),
    crm.system.profileFeed?.readPage(null, scope(1_000)).then(
      () => ['page'],
      (error: unknown) => [error],
    ),
  ]);
  return answers.map((slots) => (slots?.[0] instanceof Error ? codeOf(slots[0]) : 'answered'));
}

describe('a definition', () => {
  it('says how long its own read, write or feed may take', async () => {
    expect(await askAll(400)).toEqual(['answered', 'answered', 'answered']);
    // The read and the feed are tried once more; the write, which does harm twice, is not.
    expect(await askAll(50)).toEqual(['UPSTREAM_TIMEOUT', 'UPSTREAM_TIMEOUT', 'UPSTREAM_TIMEOUT']);
  });

  it('is scaled by the option of a usual call, which makes a feed’s longer only', async () => {
    expect(await askAll(50, { timeoutMs: 6_400 })).toEqual(['answered', 'answered', 'answered']);
    expect(await askAll(400, { timeoutMs: 100 })).toEqual(['UPSTREAM_TIMEOUT', 'UPSTREAM_TIMEOUT', 'answered']);
  });
});
