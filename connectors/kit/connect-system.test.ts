import { describe, expect, it } from 'vitest';

import { toSku } from '#schema/model/ids.ts';
import { codeOf, connect, echo, scope } from '#test/support/kit-system.ts';
import { sendJson, startUpstream } from '#test/support/scripted-upstream.ts';

describe('batch reads', () => {
  it('asks each key once, in chunks of the limit, and answers in key order with null for unknown keys', async () => {
    await using upstream = await startUpstream(({ body }, response) => sendJson(response, echo(body)));
    await using crm = connect(upstream.url);
    const slots = await crm.read(['1', '2', 'gone', '4', '1', '5'], scope());
    expect(slots.map((slot) => (slot instanceof Error ? slot.message : (slot?.givenName ?? null)))).toEqual([
      'Person 1',
      'Person 2',
      null,
      'Person 4',
      'Person 1',
      'Person 5',
    ]);
    expect(upstream.seen.map(({ body }) => JSON.parse(body).ids)).toEqual([
      ['1', '2', 'gone'],
      ['4', '5'],
    ]);
  });

  it('answers null for keys no system can know, without sending them', async () => {
    await using upstream = await startUpstream(({ body }, response) => sendJson(response, echo(body)));
    await using crm = connect(upstream.url);
    const hostile = ['', 'a\u0000b', 'a\r\nHost: evil', 'x'.repeat(256), '\ud800'];
    expect(await crm.read(hostile, scope())).toEqual([null, null, null, null, null]);
    expect(upstream.seen).toEqual([]);
  });

  it('follows cursors inside a batch and refuses an endless one', async () => {
    await using upstream = await startUpstream(({ body }, response) => {
      const { cursor, ids } = JSON.parse(body) as { cursor?: string; ids: string[] };
      if (ids[0] === 'loop') return sendJson(response, { rows: [], next: 'again' });
      if (cursor === undefined) return sendJson(response, { rows: [{ id: '1', name: 'A' }], next: 'page2' });
      return sendJson(response, { rows: [{ id: '2', name: 'B' }] });
    });
    await using crm = connect(upstream.url);
    const [first, second] = await crm.read(['1', '2'], scope());
    expect([first, second]).toMatchObject([{ givenName: 'A' }, { givenName: 'B' }]);
    expect(codeOf((await crm.read(['loop'], scope()))[0])).toBe('UPSTREAM_CONTRACT');
    expect(upstream.seen.length).toBe(52);
  });

  it('fills where and when a value was read, and calls it stale by the declared freshness', async () => {
    await using upstream = await startUpstream((_request, response) => sendJson(response, { rows: [] }));
    await using crm = connect(upstream.url);
    const [readings] = await crm.stockRead([{ sku: toSku('A'), externalId: 'i1' }], scope());
    if (readings instanceof Error || readings === null || readings === undefined) throw new Error('read');
    expect(readings[0]).toMatchObject({
      system: 'crm',
      provenance: {
        asOf: '2026-01-01T00:00:00.000Z',
        lane: 'REALTIME',
        stale: true,
        source: { system: 'crm', connector: 'test-system' },
      },
    });
  });

  it('fails the keys of unreadable rows and of none other that was answered', async () => {
    await using upstream = await startUpstream((_request, response) =>
      sendJson(response, {
        rows: [
          { id: '1', name: 'A' },
          { id: '2', name: 5 },
        ],
      }),
    );
    await using crm = connect(upstream.url);
    const [good, bad] = await crm.read(['1', '2'], scope());
    expect(good).toMatchObject({ givenName: 'A' });
    expect(codeOf(bad)).toBe('UPSTREAM_CONTRACT');
  });
});
