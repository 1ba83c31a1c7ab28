import { describe, expect, it } from 'vitest';

import { createSharedWork } from './shared-work.ts';
import { aRequestOf } from '#test/support/requests.ts';

const join = createSharedWork((request) => request);

describe('what the fetches of a request share', () => {
  it('is made once for a request, and anew for another', () => {
    const request = aRequestOf();
    expect(join(request, 1).loaders).toBe(join(request, 2).loaders);
    expect(join(aRequestOf(), 1).loaders).not.toBe(join(request, 1).loaders);
  });

  it('goes on for the fetch that still waits when another is cut, and stops with the last', () => {
    const request = aRequestOf();
    const [cut, waiting] = [join(request, 1), join(request, 2)];
    cut.leave(true);
    expect(cut.loaders.signal.aborted).toBe(false);
    waiting.leave(false);
    expect(cut.loaders.signal.aborted).toBe(true);
  });

  it('is not stopped by fetches that had everything they asked for', () => {
    const work = join(aRequestOf(), 1);
    work.leave(false);
    expect(work.loaders.signal.aborted).toBe(false);
  });

  it('begins anew for a fetch that comes after it was stopped', () => {
    const request = aRequestOf();
    const first = join(request, 1);
    first.leave(true);
    const later = join(request, 1);
    expect(later.loaders).not.toBe(first.loaders);
    expect(later.loaders.signal.aborted).toBe(false);
  });

  it('begins anew for fetches that come after it was forgotten, and goes on for the one that has it', () => {
    const request = aRequestOf();
    const first = join(request, 1);
    first.forget();
    const later = join(request, 1);
    expect(later.loaders).not.toBe(first.loaders);
    expect(first.loaders.signal.aborted).toBe(false);
    first.forget();
    first.leave(true);
    expect(join(request, 1).loaders).toBe(later.loaders);
  });

  it('stops with the request, whoever waits', () => {
    const client = new AbortController();
    const request = aRequestOf({ signal: client.signal });
    const work = join(request, 1);
    client.abort();
    expect(work.loaders.signal.aborted).toBe(true);
    expect(join(request, 1).loaders.signal.aborted).toBe(true);
  });

  it('has the time of the fetch that has most', () => {
    const request = aRequestOf();
    const { loaders } = join(request, 1_000);
    expect(loaders.deadlineAtMs).toBe(1_000);
    join(request, 3_000);
    join(request, 2_000);
    expect(loaders.deadlineAtMs).toBe(3_000);
  });
});
