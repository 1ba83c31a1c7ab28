import { describe, expect, it } from 'vitest';

import { advance, readWatermark, restartRun } from './watermark.ts';

const at = (text: string): number => Date.parse(text);

describe('the watermark of a change feed', () => {
  it('goes on after the latest change of the whole run', () => {
    const first = advance(
      null,
      { changedAt: ['2026-01-03T00:00:00.000Z', null], token: 'p2' },
      at('2026-02-01T00:00:00Z'),
    );
    expect(first.done).toBe(false);
    expect(readWatermark(first.cursor)).toMatchObject({ since: null, token: 'p2' });
    const second = advance(
      first.cursor,
      { changedAt: ['2026-01-02T00:00:00.000Z'], token: null },
      at('2026-02-01T00:05:00Z'),
    );
    expect(second.done).toBe(true);
    expect(readWatermark(second.cursor)).toEqual({
      since: '2026-01-03T00:00:00.000Z',
      startedAt: null,
      seen: null,
      token: null,
    });
  });

  it('never passes the start of the run, so that rows changed meanwhile are read again', () => {
    const first = advance(null, { changedAt: ['2026-01-01T00:00:00.000Z'], token: 'p2' }, at('2026-02-01T00:00:00Z'));
    const second = advance(
      first.cursor,
      { changedAt: ['2026-02-01T00:01:00.000Z'], token: null },
      at('2026-02-01T00:02:00Z'),
    );
    expect(readWatermark(second.cursor).since).toBe('2026-01-31T23:59:55.000Z');
  });

  it('stays where it is when nothing changed, and never goes back', () => {
    const { cursor } = advance(
      null,
      { changedAt: ['2026-01-03T00:00:00.000Z'], token: null },
      at('2026-02-01T00:00:00Z'),
    );
    expect(advance(cursor, { changedAt: [], token: null }, at('2026-02-02T00:00:00Z')).cursor).toBe(cursor);
    expect(
      advance(cursor, { changedAt: ['2020-01-01T00:00:00.000Z'], token: null }, at('2026-02-02T00:00:00Z')).cursor,
    ).toBe(cursor);
  });

  it('begins the same run again when its page token expired', () => {
    const done = advance(null, { changedAt: ['2026-01-03T00:00:00.000Z'], token: null }, at('2026-02-01T00:00:00Z'));
    const paged = advance(done.cursor, { changedAt: [], token: 'gone' }, at('2026-02-01T00:01:00Z'));
    expect(restartRun(paged.cursor)).toBe(done.cursor);
  });

  it('begins from the start when the stored text is no cursor', () => {
    expect(readWatermark('{"since":5}')).toEqual({ since: null, startedAt: null, seen: null, token: null });
    expect(readWatermark('nonsense').since).toBeNull();
  });
});
