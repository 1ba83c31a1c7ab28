import { batchesOf } from '#platform/batches.ts';
import type { CallScope } from '#schema/model/request.ts';
import type { BatchWrite } from '#schema/model/sources.ts';
import type { WriteResult } from '#schema/model/outreach.ts';

import { limitCall, orAborted } from './deadline.ts';
import type { Context, WriteDefinition } from './definition.ts';
import { toUpstreamError, upstreamError } from './failure.ts';
import { readAnswer } from './pages.ts';
import type { Runtime } from './runtime.ts';
import type { WireRequest, WireResponse } from './wire.ts';
import { createWriteOrder } from './write-order.ts';
import type { WriteTurn } from './write-order.ts';

type Result = WriteResult | Error;

/**
 * A definition's write as the port's: refused inputs are never sent; of inputs that contradict each other, in one list or in
 * several, the last is; the others travel in groups and chunks of the vendor's limit. One answer an input, in input order;
 * SUPERSEDED where a later list took an input's place before the system had taken it. Never rejects.
 */
export function bindWrite<I, S>(
  // The page type is the definition's own affair.
  // eslint-disable-next-line typescript/no-explicit-any
  definition: WriteDefinition<I, WriteResult, S, any>,
  runtime: Runtime<S>,
): BatchWrite<I, WriteResult> {
  const takeTurn = createWriteOrder();
  const send = async (inputs: readonly I[], scope: CallScope, turn: WriteTurn): Promise<readonly Result[]> => {
    const context = runtime.context();
    let operation = 'write';
    const keys = inputs.map(definition.keyOf);
    const call = async (request: WireRequest): Promise<WireResponse> =>
      runtime.call(request, scope, {
        operationClass: 'write',
        timeoutMs: runtime.timeoutOf('write', definition.timeoutMs),
        repeatable: definition.idempotency !== 'none',
        mayBeEmpty: true,
        begin: () => turn.begin(keys),
        ...(definition.settled && { accept: definition.settled }),
      });
    try {
      await withinTime(turn.others(keys), scope, runtime.nowMs());
      const first = definition.before?.(inputs, context);
      operation = first?.operation ?? operation;
      const read = first && (await call(first));
      if (definition.isSo?.(inputs, read?.body) === true) return inputs.map(() => ({ kind: 'DONE' }));
      const request = definition.request(inputs, context, read?.body);
      ({ operation } = request);
      const response = await call(request);
      const isSettled = definition.settled?.(response) === true;
      const expected = { page: definition.page, operation, operationClass: 'write' } as const;
      const body = isSettled ? undefined : readAnswer(runtime, expected, response);
      const name = (result: Result): Result =>
        result instanceof Error ? toUpstreamError(result, runtime.system, operation) : result;
      return definition.decode(body, inputs, context).map(name);
    } catch (thrown) {
      const error = toUpstreamError(thrown, runtime.system, operation);
      return inputs.map(() => error);
    }
  };
  /** Sends what no later write has taken the place of, once more without what was overtaken meanwhile. */
  const sendLatest = async (inputs: readonly I[], scope: CallScope, turn: WriteTurn): Promise<readonly Result[]> => {
    const isLatest = (input: I): boolean => turn.isLatest(definition.keyOf(input));
    const latest = inputs.filter(isLatest);
    const answers = latest.length === 0 ? [] : await send(latest, scope, turn);
    const told = new Map(latest.map((input, index) => [input, answers[index] ?? untold(runtime.system)]));
    const failed = latest.filter((input) => told.get(input) instanceof Error);
    const rest = failed.filter(isLatest);
    if (rest.length > 0 && rest.length < failed.length && definition.idempotency !== 'none') {
      const again = await sendLatest(rest, scope, turn);
      for (const [index, input] of rest.entries()) told.set(input, again[index] ?? untold(runtime.system));
    }
    return inputs.map((input) => {
      const answer = told.get(input);
      return answer === undefined || (answer instanceof Error && !isLatest(input)) ? { kind: 'SUPERSEDED' } : answer;
    });
  };
  /** Under which key and with which others an input travels, or what its answer is without being sent. */
  const judge = (input: I, context: Context<S>): Fare | { readonly answer: Result } => {
    try {
      const reason = definition.refuses?.(input, context) ?? null;
      if (reason !== null) return { answer: { kind: 'REFUSED', reason } };
      if (definition.accepts?.(input, context) === false) return { answer: unfit(runtime.system) };
      return { key: definition.keyOf(input), group: definition.groupOf?.(input) ?? '' };
    } catch (thrown) {
      return { answer: toUpstreamError(thrown, runtime.system, 'write') };
    }
  };
  return async (inputs, scope) => {
    const context = runtime.context();
    const fares = inputs.map((input) => judge(input, context));
    const last = new Map<string, I>();
    const groups = new Map<string, string>();
    for (const [index, input] of inputs.entries()) {
      const fare = fares[index];
      if (fare === undefined || 'answer' in fare) continue;
      last.set(fare.key, input);
      groups.set(fare.key, fare.group);
    }
    const turn = takeTurn([...last.keys()]);
    const together = Map.groupBy(last, ([key]) => groups.get(key) ?? '');
    const chunks = [...together.values()].flatMap((group) => batchesOf(group, definition.max));
    const results = new Map<string, Result>();
    const write = async (chunk: readonly (readonly [string, I])[]): Promise<void> => {
      const answers = await sendLatest(
        chunk.map(([, input]) => input),
        scope,
        turn,
      );
      for (const [index, [key]] of chunk.entries()) results.set(key, answers[index] ?? untold(runtime.system));
    };
    await Promise.all(chunks.map(write)).finally(turn.end);
    return fares.map((fare) => ('answer' in fare ? fare.answer : (results.get(fare.key) ?? untold(runtime.system))));
  };
}

interface Fare {
  readonly key: string;
  readonly group: string;
}

/** @throws {MortarError} UPSTREAM_TIMEOUT when the caller has no more time to wait, or has left */
async function withinTime(others: Promise<unknown>, scope: CallScope, nowMs: number): Promise<void> {
  using limit = limitCall(scope.signal, Math.max(0, scope.deadlineAtMs - nowMs));
  await orAborted(others, limit.signal).catch(() => {
    throw upstreamError('UPSTREAM_TIMEOUT', { message: 'An earlier write of the same is still under way.' });
  });
}

function untold(system: string): Error {
  return upstreamError('UPSTREAM_CONTRACT', { system, message: 'The answer says nothing of this input.' });
}

function unfit(system: string): Error {
  return upstreamError('UPSTREAM_CONTRACT', { system, message: 'The system cannot take this input.' });
}
