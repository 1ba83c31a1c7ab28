import { Worker } from 'node:worker_threads';
import type { QueryPlan } from '@apollo/query-planner';

import { tooMuch } from './open-planner.ts';
import type { PlannerMessage, PlannerThreadData } from './planner-protocol.ts';
import { requestError } from '#gateway/http/request-error.ts';

/** Plans the operations of one supergraph in a thread of their own, one after the other. */
export interface PlannerThread {
  /**
   * @throws {GraphQLError} LIMIT_COST when it takes too long or too much memory, OVERLOADED when too many wait
   */
  readonly plan: (text: string, operationName: string | undefined) => Promise<QueryPlan>;
  /** Ends the thread; what waits is refused. */
  readonly close: () => Promise<void>;
}

export interface PlannerThreadOptions {
  /** Milliseconds one operation may take. @default 2_000 */
  readonly planMs?: number;
  /** Operations that may wait. @default 50 */
  readonly maxWaiting?: number;
}

interface Waiting {
  readonly text: string;
  readonly operationName: string | undefined;
  readonly resolve: (plan: QueryPlan) => void;
  readonly reject: (error: Error) => void;
}

/** The thread holds a supergraph of its own, some 60 MB: one that nobody needs is ended. */
const IDLE_MS = 60_000;
const THREAD_MEMORY_MB = 256;

/** Started at the first operation. A document that takes too long ends the thread; the next starts another. */
export function createPlannerThread(supergraphSdl: string, options: PlannerThreadOptions = {}): PlannerThread {
  const { planMs = 2_000, maxWaiting = 50 } = options;
  const waiting: Waiting[] = [];
  let worker: Worker | null = null;
  let ready = false;
  let running: { readonly id: number; readonly job: Waiting; readonly timer: NodeJS.Timeout } | null = null;
  let idle: NodeJS.Timeout | undefined;
  let nextId = 1;

  const end = (): Promise<unknown> => {
    const ended = worker;
    worker = null;
    ready = false;
    clearTimeout(idle);
    return ended?.terminate() ?? Promise.resolve();
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
    if (running === null && !started) for (const job of waiting.splice(0)) job.reject(error);
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
    // Requests keep the process alive, not their plans.
    started.unref();
    worker = started;
  };
  const next = (): void => {
    if (running !== null) return;
    clearTimeout(idle);
    const job = waiting[0];
    if (job === undefined) {
      idle = setTimeout(() => void end(), IDLE_MS);
      idle.unref();
      return;
    }
    if (worker === null) start();
    if (!ready) return;
    waiting.shift();
    const timer = setTimeout(() => {
      void end();
      finish(({ reject }) => reject(tooMuch()));
    }, planMs);
    running = { id: nextId, job, timer };
    worker?.postMessage({ id: nextId, text: job.text, operationName: job.operationName });
    nextId += 1;
  };
  return {
    plan: (text, operationName) => {
      if (waiting.length >= maxWaiting) return Promise.reject(requestError('OVERLOADED'));
      const { promise, resolve, reject } = Promise.withResolvers<QueryPlan>();
      waiting.push({ text, operationName, resolve, reject });
      next();
      return promise;
    },
    close: async () => {
      for (const job of waiting.splice(0)) job.reject(requestError('OVERLOADED'));
      finish(({ reject }) => reject(requestError('OVERLOADED')));
      await end();
      clearTimeout(idle);
    },
  };
}
