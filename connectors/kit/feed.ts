import type { CallScope } from '#schema/model/request.ts';
import type { Change, FeedSource } from '#schema/model/sources.ts';

import type { DraftChange, FeedDefinition, FeedStep } from './definition.ts';
import type { Origin } from './draft.ts';
import { noteDrift } from './drift.ts';
import { toUpstreamError } from './failure.ts';
import { readAnswer } from './pages.ts';
import type { Runtime } from './runtime.ts';

/** A definition's feed as the port's: one page a call; an expired page token starts the run again by itself. */
export function bindFeed<D, V, S>(
  // The page type is the definition's own affair.
  // eslint-disable-next-line typescript/no-explicit-any
  definition: FeedDefinition<D, S, any>,
  runtime: Runtime<S>,
  seal: (draft: D, origin: Origin) => V,
): FeedSource<V> {
  const { system, connector } = runtime;
  const step = async (cursor: string | null, scope: CallScope, mayRestart: boolean): Promise<FeedStep<D>> => {
    const context = runtime.context();
    const request = definition.request(cursor, context);
    const accept = mayRestart ? definition.expired : undefined;
    const limits = {
      operationClass: 'feed' as const,
      timeoutMs: runtime.timeoutOf('feed', definition.timeoutMs),
      ...(accept === undefined ? {} : { accept }),
    };
    const response = await runtime.call(request, scope, limits);
    if (accept?.(response) === true) return await step(definition.restart?.(cursor) ?? null, scope, false);
    const expected = { page: definition.page, operation: request.operation, operationClass: 'feed' } as const;
    const page = definition.decode(readAnswer(runtime, expected, response), cursor, context);
    const drafts = page.changes.flatMap((change) => (change.kind === 'upsert' ? [change.value] : []));
    noteDrift(runtime, request.operation, { rejected: page.rejected, drafts });
    return page;
  };
  return {
    system,
    connector,
    feed: definition.feed,
    intervalMs: runtime.feedIntervalMs ?? definition.intervalMs,
    readPage: async (cursor, scope) => {
      try {
        const page = await step(cursor, scope, true);
        if (page.rejected > 0) {
          runtime.logger.warn(
            { system, feed: definition.feed, rejected: page.rejected },
            'feed rows left out: unexpected shape',
          );
        }
        const origin = runtime.origin('NEAR_REALTIME', null);
        const toChange = (change: DraftChange<D>): Change<V> =>
          change.kind === 'delete'
            ? { kind: 'delete', system, externalId: change.externalId }
            : { kind: 'upsert', value: seal(change.value, origin) };
        const { cursor: next, done, rejected } = page;
        return { changes: page.changes.map(toChange), cursor: next, done, leftOut: rejected };
      } catch (thrown) {
        throw toUpstreamError(thrown, system, `Feed ${definition.feed}`);
      }
    },
  };
}
