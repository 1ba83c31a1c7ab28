import { batchesOf } from '#platform/batches.ts';
import { MortarError } from '#platform/errors.ts';
import type { CallScope } from '#schema/model/request.ts';
import type { BatchRead, Slot } from '#schema/model/sources.ts';

import type { BatchReadDefinition, FollowUp } from './definition.ts';
import type { Origin } from './draft.ts';
import { noteDrift } from './drift.ts';
import { toUpstreamError, upstreamError } from './failure.ts';
import type { Runtime } from './runtime.ts';
import { readPages } from './pages.ts';
import { isPlausibleKey } from './wire.ts';

/**
 * A definition's batch read as the port's: distinct keys in chunks of the vendor's limit, all chunks at once (the gate
 * limits them), cursors followed inside a chunk, and one slot a key in key order. Never rejects.
 */
export function bindBatchRead<K, D, V, S>(
  // The page type is the definition's own affair.
  // eslint-disable-next-line typescript/no-explicit-any
  definition: BatchReadDefinition<K, D, S, any>,
  runtime: Runtime<S>,
  seal: (draft: D, origin: Origin) => V,
): BatchRead<K, V> {
  const readChunk = async (keys: readonly K[], scope: CallScope): Promise<ReadonlyMap<string, Slot<V>>> => {
    const context = runtime.context();
    const first = definition.request(keys, context);
    try {
      const more = definition.more;
      const next = more && ((body: unknown, previous: typeof first): FollowUp | null => more(body, previous, context));
      const { page, missing, timeoutMs } = definition;
      const others = (definition.fanOut?.(keys, context) ?? []).map((request) => ({ first: request, more: undefined }));
      const reads = [{ first, more: next }, ...others].map((read) =>
        readPages(runtime, { ...read, page, missing, timeoutMs }, scope),
      );
      const bodies = (await Promise.all(reads)).flat();
      const decoded = definition.decode(bodies, keys, context);
      noteDrift(runtime, first.operation, { rejected: decoded.rejected, drafts: decoded.values.values() });
      const origin = runtime.origin('REALTIME', definition.freshnessMs);
      return slotsOf(keys.map(definition.keyOf), (key) => {
        const value = decoded.values.get(key);
        if (value instanceof MortarError) return toUpstreamError(value, runtime.system, first.operation);
        if (value !== undefined && value !== null) return seal(value, origin);
        if (value === undefined && decoded.rejected > 0) {
          const message = `${first.operation}: ${decoded.rejected} rows could not be read.`;
          return upstreamError('UPSTREAM_CONTRACT', { system: runtime.system, message });
        }
        return definition.absent === null ? null : seal(definition.absent, origin);
      });
    } catch (thrown) {
      const error = toUpstreamError(thrown, runtime.system, first.operation);
      return slotsOf(keys.map(definition.keyOf), () => error);
    }
  };
  return async (keys, scope) => {
    const distinct = new Map(keys.map((key) => [definition.keyOf(key), key]));
    const mayExist = (text: string): boolean => isPlausibleKey(text) && (definition.accepts?.(text) ?? true);
    const askable = [...distinct].filter(([text]) => mayExist(text)).map(([, key]) => key);
    const slots = new Map<string, Slot<V>>();
    const chunks = await Promise.all(batchesOf(askable, definition.max).map((chunk) => readChunk(chunk, scope)));
    for (const chunk of chunks) for (const [text, slot] of chunk) slots.set(text, slot);
    // A key that was not asked for has the answer of one the system does not know.
    const unknown = definition.absent === null ? null : seal(definition.absent, runtime.origin('REALTIME', null));
    return keys.map((key) => {
      const slot = slots.get(definition.keyOf(key));
      return slot === undefined ? unknown : slot;
    });
  };
}

function slotsOf<V>(keys: readonly string[], slotOf: (key: string) => Slot<V>): ReadonlyMap<string, Slot<V>> {
  return new Map(keys.map((key) => [key, slotOf(key)]));
}
