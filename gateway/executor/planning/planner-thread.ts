import { Worker } from 'node:worker_threads';
import type { QueryPlan } from '@apollo/query-planner';

import { PlanningTimeout, tooMuch } from './open-planner.ts';
import type { PlannerMessage, PlannerThreadData } from './planner-protocol.ts';
import { createPlannerQueue } from './planner-queue.ts';
import { requestError } from '#gateway/http/request-error.ts';

/** One operation somebody waits for. */
export interface PlanRequest {
  readonly text: string;
  readonly operationName: string | undefined;
  /** Who asks: callers are planned for in turn. */
  readonly caller: string;
  /** False once nobody waits any longer; looked at when it matters, and at `review`. */
  readonly isWanted: () => boolean;
}

/** Plans the operations of one supergraph in a thread of their own, one after the other, one of each caller in turn. */
export interface PlannerThread {
  /**
   * @throws {GraphQLError} LIMIT_COST when it takes too long (a PlanningTimeout) or too much memory; OVERLOADED when too
   * many wait, in all or of this caller; DEADLINE_EXCEEDED when it was given up because nobody wanted it
   */
  readonly plan: (request: PlanRequest) => Promise<QueryPlan>;
  /**
   * Gives up what nobody wants: what waits at once; what runs when somebody else needs the thread, for otherwise its
   * plan is of use to whoever asks again.
   */
  readonly review: () => void;
  /** Another supergraph is served: the thread ends as soon as nobody waits for it. */
  readonly retire: () => void;
  /** Ends the thread; what waits is refused. */
  readonly close: () => Promise<void>;
}

export interface PlannerThreadOptions {
  /** Milliseconds of the clock one operation may take; longer where this thread itself is held. @default 2_000 */
  readonly planMs?: number;
  /** Operations that may wait. @default 50 */
  readonly maxWaiting?: number;
  /** Operations of one caller that may wait. @default 5 */
  readonly maxOfCaller?: number;
}

interface Waiting extends PlanRequest {
  readonly resolve: (plan: QueryPlan) => void;
  readonly reject: (error: Error) => void;
}

/** The thread holds a supergraph of its own, some 60 MB: one that nobody needs is ended. */
const IDLE_MS = 60_000;
const THREAD_MEMORY_MB = 256;

/** Started at the first operation. A document that takes too long ends the thread; the next starts another. */
export function createPlannerThread(supergraphSdl: string, options: PlannerThreadOptions = {}): PlannerThread {
  const { planMs = 2_000, maxWaiting = 50, maxOfCaller = 5 } = options;
  const queue = createPlannerQueue<Waiting>({ inAll: maxWaiting, perCaller: maxOfCaller });
  let worker: Worker | null = null;
  let ready = false;
  let running: { readonly id: number; readonly job: Waiting; readonly timer: NodeJS.Timeout } | null = null;
  let idle: NodeJS.Timeout | undefined;
  let idleMs = IDLE_MS;
  let nextId = 1;

  const end = (): Promise<unknown> => {
    const ended = worker;
    worker = null;
    ready = false;
    clearTimeout(idle);
    return ended?.terminate() ?? Promise.resolve();
  };
  const refuseWaiting = (error: Error, isKept: (job: Waiting) => boolean = () => false): void => {
    for (const job of queue.drop(isKept)) job.reject(error);
  };
  const finish = (settle: (job: Waiting) => void): void => {
    if (running === null) return;
    clearTimeout(running.timer);
    const { job } = running;
    running = null;
    settle(job);
    next();
  };
  /** Whoever was planned when the thread broke was too much for it; who waited only gets another thread. */
  const lose = (lost: Worker, error: Error): void => {
    if (lost !== worker) return;
    const started = ready;
    void end();
    if (running === null && !started) refuseWaiting(error);
    finish(({ reject }) => reject(tooMuch()));
  };
  const receive = (message: PlannerMessage): void => {
    if (message.kind === 'ready') {
      ready = true;
      next();
    } else if (message.id === running?.id) {
      finish(({ resolve, reject }) => {
        if (message.kind === 'planned') resolve(message.plan);
        else reject(message.kind === 'refused' ? tooMuch() : new Error(message.message));
      });
    }
  };
  const start = (): void => {
    const started = new Worker(new URL('./planner-worker.ts', import.meta.url), {
      workerData: { supergraphSdl } satisfies PlannerThreadData,
      resourceLimits: { maxOldGenerationSizeMb: THREAD_MEMORY_MB },
    });
    started.on('message', receive);
    started.on('error', (error) => lose(started, error instanceof Error ? error : new Error(String(error))));
    started.on('exit', () => lose(started, new Error('the planner thread ended')));
    worker = started;
  };
  const next = (): void => {
    if (running !== null) return;
    clearTimeout(idle);
    if (queue.size() === 0) {
      if (idleMs === 0) return void end();
      // The process may end while nothing is planned.
      worker?.unref();
      idle = setTimeout(() => void end(), idleMs);
      idle.unref();
      return;
    }
    if (worker === null) start();
    worker?.ref();
    if (!ready) return;
    const job = queue.next();
    if (job === undefined) return;
    const id = nextId;
    const giveUp = (): void => {
      if (running?.id !== id) return;
      void end();
      finish(({ reject }) => reject(new PlanningTimeout()));
    };
    // Where the loop was held, timers come before messages: what the thread has sent meanwhile is read first.
    const timer = setTimeout(() => setImmediate(giveUp), planMs);
    running = { id, job, timer };
    worker?.postMessage({ id, text: job.text, operationName: job.operationName });
    nextId += 1;
  };
  const review = (): void => {
    const abandoned = requestError('DEADLINE_EXCEEDED');
    refuseWaiting(abandoned, (job) => job.isWanted());
    const isNeeded = queue.size() > 0 || idleMs === 0;
    if (running !== null && !running.job.isWanted() && isNeeded) {
      void end();
      finish(({ reject }) => reject(abandoned));
    }
    next();
  };
  return {
    review,
    plan: (request) => {
      review();
      const { promise, resolve, reject } = Promise.withResolvers<QueryPlan>();
      if (!queue.add(request.caller, { ...request, resolve, reject }))
        return Promise.reject(requestError('OVERLOADED'));
      // What runs and nobody wants makes room.
      review();
      return promise;
    },
    retire: () => {
      idleMs = 0;
      review();
    },
    close: async () => {
      idleMs = 0;
      const ended = end();
      refuseWaiting(requestError('OVERLOADED'));
      finish(({ reject }) => reject(requestError('OVERLOADED')));
      await ended;
    },
  };
}
