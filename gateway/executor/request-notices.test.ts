import { describe, expect, it } from 'vitest';

import { groupErrors, toClientError } from './answer-errors.ts';
import { createRequestNotices } from './request-notices.ts';
import { GraphQLError } from 'graphql';

const refusal = (rowKey: string, reason: 'CONSENT_REQUIRED' | 'RESTRICTED' = 'CONSENT_REQUIRED') => ({
  coordinate: 'Customer.email',
  purpose: 'MARKETING',
  reason,
  rowKey,
});

describe('createRequestNotices', () => {
  it('counts distinct rows in one entry for each coordinate, purpose and reason', () => {
    const notices = createRequestNotices('service-job');
    for (const row of ['a', 'b', 'a']) notices.refuse(refusal(row), null);
    notices.refuse(refusal('a', 'RESTRICTED'), null);
    expect(notices.consent()).toEqual([
      { coordinate: 'Customer.email', purpose: 'MARKETING', reason: 'CONSENT_REQUIRED', count: 2 },
      { coordinate: 'Customer.email', purpose: 'MARKETING', reason: 'RESTRICTED', count: 1 },
    ]);
  });

  it.each(['partner', 'analyst'] as const)('tells a %s neither counts nor paths nor restrictions', (role) => {
    const notices = createRequestNotices(role);
    notices.refuse(refusal('a'), ['x']);
    notices.refuse(refusal('b', 'RESTRICTED'), ['y']);
    expect(notices.consent()).toEqual([
      { coordinate: 'Customer.email', purpose: 'MARKETING', reason: 'CONSENT_REQUIRED' },
    ]);
  });

  it('merges a source’s values into one entry with the oldest instant, unknown being oldest', () => {
    const notices = createRequestNotices('associate');
    const source = { system: 'pos', lane: 'REALTIME', stale: true, degraded: false } as const;
    notices.degrade({ ...source, asOf: '2026-02-01T00:00:00Z' }, ['a']);
    notices.degrade({ ...source, asOf: '2026-01-01T00:00:00Z' }, ['b']);
    notices.degrade({ ...source, asOf: '2026-01-01T00:00:00Z' }, ['b']);
    expect(notices.provenance()).toEqual([{ ...source, asOf: '2026-01-01T00:00:00Z', paths: [['a'], ['b']] }]);
    notices.degrade({ ...source, asOf: null }, null);
    expect(notices.provenance()[0]?.asOf).toBeNull();
  });
});

describe('groupErrors', () => {
  const error = (path: (string | number)[], extensions: Record<string, unknown>) =>
    new GraphQLError('x', { path, extensions });

  it('keeps apart systems and codes, joins rows, and stops at 100', () => {
    const rows = Array.from({ length: 500 }, (_, row) =>
      error(['a', row, 'b'], { code: 'UPSTREAM_TIMEOUT', system: row % 2 === 0 ? 'crm' : 'pos' }),
    );
    expect(
      groupErrors(rows).map(({ path, extensions }) => [path, extensions['system'], extensions['occurrences']]),
    ).toEqual([
      [['a', 0, 'b'], 'crm', 250],
      [['a', 1, 'b'], 'pos', 250],
    ]);
    expect(groupErrors(Array.from({ length: 300 }, (_, index) => error([`f${index}`], { code: 'X' })))).toHaveLength(
      100,
    );
  });
});

describe('toClientError', () => {
  it('keeps only known codes, table messages and visible facts', () => {
    const formatted = {
      message: 'SELECT * FROM x at http://10.0.0.1',
      extensions: { code: 'WEIRD', stacktrace: ['x'], url: 'http://10.0.0.1', serviceName: 's' },
    };
    expect(toClientError(formatted)).toEqual({
      message: 'Something went wrong on our side.',
      extensions: { code: 'INTERNAL_SERVER_ERROR', serviceName: 's', retryable: false },
    });
  });
});
