import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';

import { requestError } from './request-error.ts';
import type { SubgraphBodies } from './subgraph-body.ts';
import { readSubgraphCaller, type SubgraphTrust } from './subgraph-caller.ts';
import type { LimitsConfig } from '#gateway/config-schema.ts';
import { createEventPump } from '#gateway/live/event-pump.ts';
import { openEventStream } from '#gateway/live/event-stream.ts';
import { createStreamSlots } from '#gateway/live/stream-slots.ts';
import type { Subgraph } from '#platform/subgraph.ts';

export interface SubgraphLiveDeps {
  readonly subgraph: Pick<Subgraph, 'name'> & Partial<Pick<Subgraph, 'watch'>>;
  readonly trust: SubgraphTrust;
  readonly limits: LimitsConfig;
  readonly bodies: SubgraphBodies;
  /** Answers a refusal. */
  readonly refuse: (error: unknown, request: FastifyRequest, reply: FastifyReply) => Promise<void>;
}

const watchBody = z.object({
  watch: z.object({ field: z.string().max(200), arguments: z.record(z.string(), z.unknown()) }),
});
/** Changes of one moment are one message; the gateway has the window that counts. */
const WINDOW_MS = 10;

/**
 * POST /live: a source stream for a gateway that signs, as server-sent events `{keys}`; null: any key may have changed. The
 * first message says that the source is open. Rights are checked here, where the field is owned.
 */
export function addSubgraphLiveRoute(app: FastifyInstance, deps: SubgraphLiveDeps): void {
  const { bodies, limits, subgraph, trust } = deps;
  const { perProcess } = limits.streams;
  const slots = createStreamSlots({ perProcess, perCaller: perProcess });
  const ends = new Set<() => void>();
  let closing = false;

  const open = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const body = bodies.textOf(request);
    const credentials = { subgraph: subgraph.name, requestId: request.id, headers: request.headers, body };
    const caller = await readSubgraphCaller(trust, credentials);
    if (caller?.from !== 'gateway') throw requestError('UNAUTHENTICATED', 'Source streams are for the gateway alone.');
    const asked = watchBody.safeParse(await bodies.parse(request, caller));
    if (!asked.success) throw requestError('BAD_REQUEST');
    if (subgraph.watch === undefined) throw requestError('OPERATION_RESOLUTION_FAILURE');
    const controller = new AbortController();
    const { facts } = caller;
    const giveBack = slots.take(facts.principal);
    const pump = createEventPump({ run: async (keys) => stream.send({ keys }), windowMs: WINDOW_MS, spreadMs: 0 });
    const context = { ...facts, deadlineAtMs: Number.MAX_SAFE_INTEGER, signal: controller.signal };
    const closeSource = await subgraph
      .watch({ ...asked.data.watch, request: context, onChange: pump.notify })
      .catch((error: unknown) => {
        giveBack();
        throw error;
      });
    const stream = openEventStream({
      response: reply.hijack().raw,
      // Fastify types every header alike; what it holds is what it would send.
      headers: reply.getHeaders() as OutgoingHttpHeaders,
      heartbeatMs: limits.streams.heartbeatMs,
      onClose: () => {
        pump.stop();
        closeSource();
        giveBack();
        controller.abort();
        ends.delete(end);
      },
    });
    const end = (): void => stream.end('BREAK');
    ends.add(end);
    pump.start();
    if (closing) end();
  };
  app.post('/live', (request, reply) =>
    open(request, reply).catch((error: unknown) => deps.refuse(error, request, reply)),
  );
  app.addHook('preClose', async () => {
    closing = true;
    for (const end of ends) end();
    await Promise.resolve();
  });
}
