import { createClient } from 'graphql-sse';

import type { Answer } from './gateway.ts';

export interface Subscribing {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly headers: Readonly<Record<string, string>>;
  /** How often the client comes again by itself. @default 0 */
  readonly retries?: number;
}

/** A subscription of the official client. */
export interface Subscription {
  /** The next event that was not taken yet; rejects when the stream ends before. */
  readonly next: () => Promise<Answer>;
  /** Events that arrived and were not taken. */
  readonly waiting: () => number;
  /** Resolves when the server completes the operation; rejects when the connection breaks. */
  readonly completed: Promise<void>;
  /** How often the client connected. */
  readonly connections: () => number;
  readonly leave: () => void;
}

export function subscribeTo(url: string, { query, variables, headers, retries = 0 }: Subscribing): Subscription {
  let connections = 0;
  const client = createClient({
    url,
    headers: { ...headers },
    retryAttempts: retries,
    retry: () => Promise.resolve(),
    on: { connecting: () => void (connections += 1) },
  });
  const arrived: Answer[] = [];
  const takers: PromiseWithResolvers<Answer>[] = [];
  const { promise: completed, resolve, reject } = Promise.withResolvers<void>();
  completed.catch(() => undefined);
  let over: Error | null = null;
  const finish = (reason: Error): void => {
    over = reason;
    for (const taker of takers.splice(0)) taker.reject(reason);
  };
  const leave = client.subscribe(
    { query, ...(variables === undefined ? {} : { variables }) },
    {
      next: (result) => {
        // Tests know the shape of their own documents.
        const answer = result as unknown as Answer;
        const taker = takers.shift();
        if (taker === undefined) arrived.push(answer);
        else taker.resolve(answer);
      },
      complete: () => {
        finish(new Error('the stream is complete'));
        resolve();
      },
      error: (error) => {
        const reason = error instanceof Error ? error : new Error('the connection failed', { cause: error });
        finish(reason);
        reject(reason);
      },
    },
  );
  return {
    completed,
    connections: () => connections,
    waiting: () => arrived.length,
    next() {
      const known = arrived.shift();
      if (known !== undefined) return Promise.resolve(known);
      if (over !== null) return Promise.reject(over);
      const taker = Promise.withResolvers<Answer>();
      takers.push(taker);
      return taker.promise;
    },
    leave: () => {
      leave();
      client.dispose();
    },
  };
}
