import { describe, expect, it } from 'vitest';

import { readNotices, writeNotices } from './wire-notices.ts';
import type { Refusal } from '#platform/subgraph.ts';

const refusalOf = (rowKey: string): Refusal => ({
  coordinate: 'Customer.email',
  purpose: 'MARKETING',
  reason: 'CONSENT_REQUIRED',
  rowKey,
  path: ['_entities', 0, 'email'],
});
const source = { system: 'pos', lane: 'REALTIME', asOf: null, stale: true, degraded: false, path: [] } as const;

describe('notices on the wire', () => {
  it('come back as they were, with rows that can be told apart and not named', () => {
    const written = writeNotices({
      refusals: [refusalOf('sub_1'), refusalOf('sub_2'), refusalOf('sub_1')],
      degraded: [source],
    });
    expect(JSON.stringify(written)).not.toContain('sub_');
    const { refusals, degraded } = readNotices(JSON.parse(JSON.stringify(written)));
    expect(new Set(refusals.map(({ rowKey }) => rowKey)).size).toBe(2);
    expect(refusals[0]).toMatchObject({ ...refusalOf('sub_1'), rowKey: refusals[2]?.rowKey });
    expect(degraded).toEqual([source]);
  });

  it('are left out when there are none', () => {
    expect(writeNotices({ refusals: [], degraded: [] })).toBeNull();
    expect(readNotices(undefined)).toEqual({ refusals: [], degraded: [] });
  });

  it.each([null, 'text', {}, { refusals: [{ reason: 'BECAUSE' }], degraded: [] }])(
    'are refused when they do not fit: %j',
    (value) => {
      expect(() => readNotices(value)).toThrow(/invalid/i);
    },
  );
});
