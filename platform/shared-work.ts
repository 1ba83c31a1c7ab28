import type { RequestContext } from '#schema/model/request.ts';

/** What the fetches of one request share in one subgraph: their loaders, and the signal that stops what loaders began. */
export interface SharedWork<Loaders> {
  readonly loaders: Loaders;
  /**
   * One fetch less. `cut`: it ended before everything it asked for came. When none is left and one was cut, whatever the
   * loaders still wait for is wanted by nobody, and is stopped.
   */
  readonly leave: (cut: boolean) => void;
  /** Fetches that join from now on begin anew: what was read before may no longer hold. */
  readonly forget: () => void;
}

interface Work<Loaders> {
  readonly loaders: Loaders;
  readonly stop: () => void;
  readonly state: {
    fetches: number;
    abandoned: boolean;
    /** Of the fetch that has most time: a load that takes longer serves nobody. */
    deadlineAtMs: number;
  };
}

/**
 * Joins the work of a request with a fetch that ends at `deadlineAtMs`: its fetches share loaders, so that a key is read
 * once. A load may serve several fetches and nobody knows which: it goes on until the last has left. A fetch that comes
 * after the work was stopped begins anew.
 */
export function createSharedWork<Loaders>(
  createLoaders: (request: RequestContext) => Loaders,
): (request: RequestContext, deadlineAtMs: number) => SharedWork<Loaders> {
  const works = new WeakMap<RequestContext, Work<Loaders>>();

  const begin = (request: RequestContext, deadlineAtMs: number): Work<Loaders> => {
    const controller = new AbortController();
    const stop = (): void => {
      if (works.get(request)?.stop === stop) works.delete(request);
      controller.abort();
    };
    const state = { fetches: 0, abandoned: false, deadlineAtMs };
    const scope: RequestContext = {
      ...request,
      signal: controller.signal,
      // Asked at each load.
      get deadlineAtMs() {
        return state.deadlineAtMs;
      },
    };
    const work = { loaders: createLoaders(scope), stop, state };
    works.set(request, work);
    if (request.signal.aborted) stop();
    else request.signal.addEventListener('abort', stop, { once: true });
    return work;
  };

  return (request, deadlineAtMs) => {
    const work = works.get(request) ?? begin(request, deadlineAtMs);
    const { loaders, stop, state } = work;
    state.fetches += 1;
    state.deadlineAtMs = Math.max(state.deadlineAtMs, deadlineAtMs);
    return {
      loaders,
      leave: (cut) => {
        state.fetches -= 1;
        state.abandoned ||= cut;
        if (state.fetches > 0 || !state.abandoned) return;
        request.signal.removeEventListener('abort', stop);
        stop();
      },
      forget: () => {
        if (works.get(request) === work) works.delete(request);
      },
    };
  };
}
