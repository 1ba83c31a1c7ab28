import { describe, expect, it } from 'vitest';

import { systemClock } from '#platform/clock.ts';
import type { CallScope } from '#schema/model/request.ts';
import type { OperationClass } from '#schema/model/sources.ts';
import { codeOf, collectCalls, connect, echo, scope } from '#test/support/kit-system.ts';
import { sendJson, startUpstream } from '#test/support/scripted-upstream.ts';

import { shareFlights } from './single-flight.ts';
import type { WireRequest } from './wire.ts';

const sharing = (shareKey: string, ms = 5_000, signal?: AbortSignal): CallScope => ({ ...scope(ms, signal), shareKey });

/** An upstream that answers when told. */
async function startHeld() {
  const held: (() => void)[] = [];
  const arrived = { count: 0, wake: () => {} };
  const upstream = await startUpstream(({ body }, response) => {
    held.push(() => sendJson(response, echo(body)));
    arrived.count += 1;
    arrived.wake();
  });
  const arrivals = async (count: number): Promise<void> => {
    while (arrived.count < count) await new Promise<void>((resolve) => (arrived.wake = resolve));
  };
  return {
    upstream,
    arrivals,
    release: () => held.splice(0).forEach((answer) => answer()),
    [Symbol.asyncDispose]: upstream[Symbol.asyncDispose],
  };
}

describe('reads of one moment', () => {
  it('share one call when they are the same, for the same role and purpose', async () => {
    await using held = await startHeld();
    await using crm = connect(held.upstream.url, { options: { concurrency: 8 } });
    const reads = ['customer SERVICE', 'customer SERVICE', 'associate SERVICE', 'customer SERVICE'].map((key) =>
      crm.read(['1'], sharing(key)),
    );
    const other = crm.read(['2'], sharing('customer SERVICE'));
    const unshared = [crm.read(['1'], scope()), crm.read(['1'], scope())];
    await held.arrivals(5);
    held.release();
    for (const slots of await Promise.all([...reads, ...unshared]))
      expect(slots[0]).toMatchObject({ givenName: 'Person 1' });
    expect((await other)[0]).toMatchObject({ givenName: 'Person 2' });
    expect(held.upstream.seen.length).toBe(5);
    const later = crm.read(['1'], sharing('customer SERVICE'));
    await held.arrivals(6);
    held.release();
    await later;
    expect(held.upstream.seen.length).toBe(6);
  });

  it('tell each reader’s trace who called and who waited', async () => {
    await using held = await startHeld();
    await using crm = connect(held.upstream.url);
    const [first, second] = [collectCalls(), collectCalls()];
    const reads = [first, second].map(({ trace }) => crm.read(['1'], { ...sharing('customer SERVICE'), trace }));
    await held.arrivals(1);
    held.release();
    await Promise.all(reads);
    expect(first.calls).toMatchObject([{ system: 'crm', status: 200, attempt: 1, shared: false, errorCode: null }]);
    expect(second.calls).toMatchObject([{ system: 'crm', status: 200, shared: true, errorCode: null }]);
  });

  it('go on for the others when one reader leaves, and stop when the last has left', async () => {
    await using held = await startHeld();
    await using crm = connect(held.upstream.url, { options: { concurrency: 8 } });
    const [one, two] = [new AbortController(), new AbortController()];
    const first = crm.read(['1'], sharing('k', 5_000, one.signal));
    const second = crm.read(['1'], sharing('k', 5_000, two.signal));
    await held.arrivals(1);
    one.abort();
    expect(codeOf((await first)[0])).toBe('UPSTREAM_TIMEOUT');
    held.release();
    expect((await second)[0]).toMatchObject({ givenName: 'Person 1' });
    const third = crm.read(['1'], sharing('k', 5_000, two.signal));
    await held.arrivals(2);
    two.abort();
    expect(codeOf((await third)[0])).toBe('UPSTREAM_TIMEOUT');
    expect(crm.system.health()).toMatchObject({ state: 'UP', lastErrorCode: null });
  });

  it('are not bound to a shorter deadline than their own', async () => {
    await using held = await startHeld();
    await using crm = connect(held.upstream.url, { options: { concurrency: 8, timeoutMs: 5_000 } });
    const short = crm.read(['1'], sharing('k', 80));
    const long = crm.read(['1'], sharing('k', 5_000));
    await held.arrivals(2);
    expect(codeOf((await short)[0])).toBe('UPSTREAM_TIMEOUT');
    held.release();
    expect((await long)[0]).toMatchObject({ givenName: 'Person 1' });
  });
});

describe('a shared call', () => {
  const request: WireRequest = { operation: 'read', method: 'POST', path: '/people', json: { ids: ['1'] } };
  const options = { operationClass: 'read' as OperationClass, timeoutMs: 1_000 };
  const callsOf = async (calls: readonly (readonly [WireRequest, OperationClass])[]): Promise<number> => {
    let made = 0;
    const call = shareFlights(
      async () => {
        made += 1;
        return await Promise.resolve({ status: 200, headers: {}, body: {} });
      },
      { system: 'crm', clock: systemClock },
    );
    await Promise.all(calls.map(([one, operationClass]) => call(one, sharing('k'), { ...options, operationClass })));
    return made;
  };

  it.each([
    ['is never a write', [request, 'write'], [request, 'write'], 2],
    ['is a read', [request, 'read'], [request, 'read'], 1],
    ['has the same headers', [request, 'read'], [{ ...request, headers: { version: '2' } }, 'read'], 2],
    ['needs the same kind of token', [request, 'read'], [{ ...request, restricted: true }, 'read'], 2],
  ] as const)('%s', async (_name, first, second, made) => {
    expect(await callsOf([first, second])).toBe(made);
  });
});

describe('a system that fails every call', () => {
  it('sees at most a tenth more requests than were made, and few of those while it rests', async () => {
    await using upstream = await startUpstream((_request, response) => sendJson(response, {}, 503));
    await using crm = connect(upstream.url, { options: { concurrency: 8 } });
    for (let index = 0; index < 200; index += 1) await crm.read([`k${index}`], scope(200));
    expect(upstream.seen.length).toBeLessThanOrEqual(220);
    expect(upstream.seen.length).toBeLessThan(20);
  });
});
