import type { ApolloServer } from '@apollo/server';
import type { FastifyReply } from 'fastify';

import { openStream, type Stream } from './open-stream.ts';
import { createStreamSlots } from './stream-slots.ts';
import type { LimitsConfig } from '#gateway/config-schema.ts';
import type { AuthenticatedRequest, GatewayContext, LiveOperation } from '#gateway/executor/context.ts';
import type { Engine } from '#gateway/executor/engine.ts';
import type { SchemaState } from '#gateway/executor/schema-state.ts';
import { requestError } from '#gateway/http/request-error.ts';
import type { RequestTrace } from '#gateway/trace/request-trace.ts';
import type { TraceStore } from '#gateway/trace/trace-store.ts';
import type { Clock } from '#platform/clock.ts';
import type { Logger } from '#platform/log.ts';
import type { Metrics } from '#platform/metrics.ts';
import type { RequestContext } from '#schema/model/request.ts';

export interface LiveStreamsDeps {
  readonly server: ApolloServer<GatewayContext>;
  readonly current: () => SchemaState | null;
  readonly watch: Engine['watch'];
  readonly sourceOf: Engine['sourceOf'];
  readonly limits: LimitsConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'observeStream'>;
  readonly traces: Pick<TraceStore, 'keep'>;
}

/** What an event needs to know of time and end, and where it tells what it did. */
export type EventScope = Pick<RequestContext, 'requestId' | 'deadlineAtMs' | 'signal'> & {
  readonly trace: RequestTrace;
};

/** A subscription of one caller, admitted and ready to be streamed. */
export interface LiveRequest {
  readonly requestId: string;
  readonly operation: LiveOperation;
  readonly caller: AuthenticatedRequest;
  /** Who asks, checked anew: token, purpose. @throws {GraphQLError | MortarError} when the token serves no longer */
  readonly authenticate: (scope: EventScope) => Promise<AuthenticatedRequest>;
  /** When the token ends; epoch milliseconds. */
  readonly tokenEndsAtMs: number;
}

/** All open event streams of the process. */
export interface LiveStreams {
  /** Streams until the caller leaves or something ends it. @throws {GraphQLError | MortarError} before anything was sent */
  readonly open: (request: LiveRequest, reply: FastifyReply) => Promise<void>;
  readonly size: () => number;
  /** Another supergraph is served: streams whose source or twin is another there break within 2 s, and come again. */
  readonly review: () => void;
  /** Ends every stream so that its client comes again elsewhere, and opens no more. */
  readonly drain: () => void;
}

export function createLiveStreams(deps: LiveStreamsDeps): LiveStreams {
  const slots = createStreamSlots(deps.limits.streams);
  const streams = new Set<Stream>();
  let draining = false;
  return {
    async open(request, reply) {
      if (draining) throw requestError('OVERLOADED');
      const giveBack = slots.take(request.caller.principal);
      try {
        let isOver = false;
        const onEnd = (): void => {
          isOver = true;
          giveBack();
          streams.delete(stream);
        };
        const stream = await openStream(deps, { request, reply, onEnd });
        if (!isOver) streams.add(stream);
        if (draining) stream.end('drain', 'BREAK');
      } catch (error) {
        giveBack();
        throw error;
      }
    },
    size: () => streams.size,
    review() {
      for (const stream of streams) stream.review();
    },
    drain() {
      draining = true;
      for (const stream of streams) stream.end('drain', 'BREAK');
    },
  };
}
