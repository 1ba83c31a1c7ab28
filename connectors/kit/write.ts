import { batchesOf } from '#platform/batches.ts';
import type { CallScope } from '#schema/model/request.ts';
import type { BatchWrite } from '#schema/model/sources.ts';
import type { WriteResult } from '#schema/model/outreach.ts';

import type { WriteDefinition } from './definition.ts';
import { toUpstreamError, upstreamError } from './failure.ts';
import { readAnswer } from './pages.ts';
import type { Runtime } from './runtime.ts';
import type { WireRequest, WireResponse } from './wire.ts';

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
  const call = async (request: WireRequest, scope: CallScope): Promise<WireResponse> =>
    runtime.call(request, scope, {
      operationClass: 'write',
      timeoutMs: runtime.timeoutMs,
      repeatable: definition.idempotency !== 'none',
      mayBeEmpty: true,
      ...(definition.settled && { accept: definition.settled }),
    });
  const send = async (inputs: readonly I[], scope: CallScope): Promise<readonly (WriteResult | Error)[]> => {
    const context = runtime.context();
    let operation = 'write';
    try {
      const first = definition.before?.(inputs, context);
      operation = first?.operation ?? operation;
      const read = first && (await call(first, scope));
      const request = definition.request(inputs, context, read?.body);
      ({ operation } = request);
      const response = await call(request, scope);
      const isSettled = definition.settled?.(response) === true;
      const expected = { page: definition.page, operation, operationClass: 'write' } as const;
      const body = isSettled ? undefined : readAnswer(runtime, expected, response);
      const name = (result: WriteResult | Error): WriteResult | Error =>
        result instanceof Error ? toUpstreamError(result, runtime.system, operation) : result;
      return definition.decode(body, inputs, context).map(name);
    } catch (thrown) {
      const error = toUpstreamError(thrown, runtime.system, operation);
      return inputs.map(() => error);
    }
  };
  return async (inputs, scope) => {
    const context = runtime.context();
    const refusals = inputs.map((input) => definition.refuses?.(input, context) ?? null);
    const takes = (input: I): boolean => definition.accepts?.(input, context) ?? true;
    const open = inputs.filter((input, index) => refusals[index] === null && takes(input));
    const last = new Map(open.map((input) => [definition.keyOf(input), input]));
    const sent = [...last.values()];
    const groups = Map.groupBy(sent, (input) => definition.groupOf?.(input) ?? '');
    const results = new Map<string, WriteResult | Error>();
    const chunks = [...groups.values()].flatMap((group) => batchesOf(group, definition.max));
    const write = async (chunk: readonly I[]): Promise<void> => {
      const answers = await send(chunk, scope);
      for (const [index, input] of chunk.entries()) {
        results.set(definition.keyOf(input), answers[index] ?? untold(runtime.system));
      }
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

function untold(system: string): Error {
  return upstreamError('UPSTREAM_CONTRACT', { system, message: 'The answer says nothing of this input.' });
}

function unfit(system: string): Error {
  return upstreamError('UPSTREAM_CONTRACT', { system, message: 'The system cannot take this input.' });
}
