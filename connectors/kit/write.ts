import { batchesOf } from '#platform/batches.ts';
import type { CallScope } from '#schema/model/request.ts';
import type { BatchWrite } from '#schema/model/sources.ts';
import type { WriteResult } from '#schema/model/outreach.ts';

import type { WriteDefinition } from './definition.ts';
import { toUpstreamError, upstreamError } from './failure.ts';
import { readAnswer } from './pages.ts';
import type { Runtime } from './runtime.ts';

/**
 * A definition's write as the port's: refused inputs are never sent; of inputs that contradict each other the last is; the
 * others travel in groups and chunks of the vendor's limit. One answer an input, in input order. Never rejects.
 */
export function bindWrite<I, S>(
  // The page type is the definition's own affair.
  // eslint-disable-next-line typescript/no-explicit-any
  definition: WriteDefinition<I, WriteResult, S, any>,
  runtime: Runtime<S>,
): BatchWrite<I, WriteResult> {
  const send = async (inputs: readonly I[], scope: CallScope): Promise<WriteResult | Error> => {
    const context = runtime.context();
    const request = definition.request(inputs, context);
    try {
      const response = await runtime.call(request, scope, {
        operationClass: 'write',
        timeoutMs: runtime.timeoutMs,
        repeatable: definition.idempotency !== 'none',
        mayBeEmpty: true,
      });
      return definition.decode(readAnswer(runtime, definition.page, response, request.operation), context);
    } catch (thrown) {
      return toUpstreamError(thrown, runtime.system, request.operation);
    }
  };
  return async (inputs, scope) => {
    const context = runtime.context();
    const refusals = inputs.map((input) => definition.refuses?.(input, context) ?? null);
    const takes = (input: I): boolean => definition.accepts?.(input) ?? true;
    const open = inputs.filter((input, index) => refusals[index] === null && takes(input));
    const last = new Map(open.map((input) => [definition.keyOf(input), input]));
    const sent = [...last.values()];
    const groups = Map.groupBy(sent, (input) => definition.groupOf?.(input) ?? '');
    const results = new Map<string, WriteResult | Error>();
    const chunks = [...groups.values()].flatMap((group) => batchesOf(group, definition.max));
    const write = async (chunk: readonly I[]): Promise<void> => {
      const result = await send(chunk, scope);
      for (const input of chunk) results.set(definition.keyOf(input), result);
    };
    await Promise.all(chunks.map(write));
    return inputs.map((input, index): WriteResult | Error => {
      const reason = refusals[index] ?? null;
      if (reason !== null) return { kind: 'REFUSED', reason };
      // What was not refused was sent, itself or as the later input that contradicts it.
      return (takes(input) ? results.get(definition.keyOf(input)) : undefined) ?? unfit(runtime.system);
    });
  };
}

function unfit(system: string): Error {
  return upstreamError('UPSTREAM_CONTRACT', { system, message: 'The system cannot take this input.' });
}
