import { isObjectType } from 'graphql';
import type { GraphQLFieldResolver, GraphQLSchema } from 'graphql';

import { MortarError } from './errors.ts';
import type { Clock } from './clock.ts';
import type { RequestContext } from '#schema/model/request.ts';

/** The end of one fetch: whatever is still pending when it fires is rejected with DEADLINE_EXCEEDED. */
export interface FetchDeadline {
  /** Aborts when it fires; not when the fetch ends in time. */
  readonly signal: AbortSignal;
  readonly fired: () => boolean;
  /** The promise, or DEADLINE_EXCEEDED when the fetch ends first. */
  readonly race: <T>(promise: PromiseLike<T>) => Promise<T>;
  /** Ends the watch: releases the timer and the listener. */
  readonly release: () => void;
}

const notAnError = (): Error => new Error('a resolver threw something that is not an error');

/** Watches a signal and a deadline; costs one listener, one controller and one timer a fetch. */
export function watchDeadline(request: Pick<RequestContext, 'signal' | 'deadlineAtMs'>, clock: Clock): FetchDeadline {
  const waiting = new Set<(error: Error) => void>();
  const controller = new AbortController();
  let fired = false;
  const fire = (): void => {
    fired = true;
    // Before the signal: who hears it may fail with a reason of its own, and the client is told of the time.
    for (const reject of waiting) reject(new MortarError('DEADLINE_EXCEEDED'));
    waiting.clear();
    controller.abort();
  };
  const leftMs = request.deadlineAtMs - clock.nowMs();
  if (leftMs <= 0 || request.signal.aborted) fire();
  // Node fires timers beyond 2^31-1 ms at once; such a deadline needs no timer.
  const timer = !fired && leftMs < 2 ** 31 ? setTimeout(fire, leftMs) : undefined;
  request.signal.addEventListener('abort', fire, { once: true });
  return {
    signal: controller.signal,
    fired: () => fired,
    race: (promise) =>
      new Promise((resolve, reject) => {
        const ended = (settle: () => void): void => {
          waiting.delete(reject);
          settle();
        };
        if (fired) reject(new MortarError('DEADLINE_EXCEEDED'));
        else waiting.add(reject);
        promise.then(
          (value) => ended(() => resolve(value)),
          (error: unknown) => ended(() => reject(error instanceof Error ? error : notAnError())),
        );
      }),
    release: () => {
      clearTimeout(timer);
      request.signal.removeEventListener('abort', fire);
      waiting.clear();
    },
  };
}

const deadlines = new WeakMap<object, FetchDeadline>();

/** Names the deadline of the fetch whose context value this is. */
export function bindDeadline(context: object, deadline: FetchDeadline): void {
  deadlines.set(context, deadline);
}

const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';

function bounded(value: unknown, deadline: FetchDeadline): unknown {
  if (isPromise(value)) return deadline.race(value).then((settled) => bounded(settled, deadline));
  if (Array.isArray(value) && value.some(isPromise)) return value.map((entry: unknown) => bounded(entry, deadline));
  return value;
}

function boundedResolver(resolve: GraphQLFieldResolver<unknown, object>): GraphQLFieldResolver<unknown, object> {
  return (row, args, context, info) => {
    const deadline = deadlines.get(context);
    if (deadline === undefined) return resolve(row, args, context, info);
    if (deadline.fired()) throw new MortarError('DEADLINE_EXCEEDED');
    return bounded(resolve(row, args, context, info), deadline);
  };
}

/**
 * Bounds, in place, every field that has a resolver: when the fetch's deadline fires, fields (and single entities or list
 * entries) that have not answered become DEADLINE_EXCEEDED errors, what has answered stays, and nothing new is started.
 */
export function applyDeadlines(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      if (field.resolve !== undefined) field.resolve = boundedResolver(field.resolve);
    }
  }
  return schema;
}
