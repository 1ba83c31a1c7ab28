import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { publicBase } from './health-routes.ts';
import { errorBody } from './request-error.ts';
import type { Config } from '#gateway/config-schema.ts';
import type { WebhookSystem } from '#gateway/graph.ts';
import type { ErrorCode } from '#platform/errors.ts';
import type { Clock } from '#platform/clock.ts';
import type { Logger } from '#platform/log.ts';
import type { WebhookAnswer } from '#schema/model/webhooks.ts';

interface WebhookDeps {
  readonly config: Pick<Config, 'publicUrl'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly systems: readonly WebhookSystem[];
}

/**
 * Deliveries of one system taken in a second; the next ones are told to come again. Feeds are read once a second at most
 * however many come, and by themselves where none comes: a flood costs nothing but the time of the news.
 */
const MOST_A_SECOND = 200;
/** Deliveries nobody signed are counted apart, so that they keep no genuine one out: so many in a second cost time of their own. */
const MOST_UNSIGNED_A_SECOND = 2_000;

interface Room {
  readonly isFull: () => boolean;
  /** False: it is full. */
  readonly enter: () => boolean;
  /** Who entered was not the system. */
  readonly wasUnsigned: () => void;
}

function createRoom(clock: Clock): Room {
  let second = 0;
  let taken = 0;
  let unsigned = 0;
  const isFull = (): boolean => {
    const now = Math.floor(clock.nowMs() / 1_000);
    if (now !== second) [second, taken, unsigned] = [now, 0, 0];
    return taken >= MOST_A_SECOND || unsigned >= MOST_UNSIGNED_A_SECOND;
  };
  return {
    isFull,
    enter: () => {
      if (isFull()) return false;
      taken += 1;
      return true;
    },
    wasUnsigned: () => {
      // It may have entered in the second before.
      taken = Math.max(0, taken - 1);
      unsigned += 1;
    },
  };
}

/** Vendors send ids and names of what changed: a few kilobytes. */
const BODY_LIMIT_BYTES = 256 * 1024;

/**
 * Adds POST /webhooks/{system}: 401 for what the system did not sign, 200 for what it did. A genuine, new delivery has the
 * feeds it names read at once; nothing of it is stored, and nobody waits for them. Replays do nothing.
 */
export function addWebhookRoutes(app: FastifyInstance, { config, clock, logger, systems }: WebhookDeps): void {
  if (systems.length === 0) return;
  const bySystem = new Map(systems.map((system) => [system.id, system]));
  // A scope of its own: elsewhere bodies are JSON, here they are the bytes that were signed.
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_LIMIT_BYTES }, (_request, body, done) => {
      done(null, body);
    });
    const rooms = new Map(systems.map(({ id }) => [id, createRoom(clock)]));
    const options = {
      // Before the body is read: a flood, or an address nobody has, must not cost its bytes.
      onRequest: async (request: FastifyRequest<{ Params: { system: string } }>, reply: FastifyReply) => {
        reply.header('cache-control', 'no-store');
        const room = rooms.get(request.params.system);
        if (room === undefined) await refuse(reply, request, 'NOT_FOUND');
        else if (room.isFull()) await refuse(reply, request, 'OVERLOADED');
      },
    };
    scope.post<{ Params: { system: string } }>('/webhooks/:system', options, async (request, reply) => {
      const [system, room] = [bySystem.get(request.params.system), rooms.get(request.params.system)];
      if (system === undefined || room === undefined) return await refuse(reply, request, 'NOT_FOUND');
      if (!room.enter()) return await refuse(reply, request, 'OVERLOADED');
      const answer = await system.receive({
        url: `${publicBase(request, config)}${request.url}`,
        headers: headersOf(request),
        body: Buffer.isBuffer(request.body) ? request.body : new Uint8Array(),
      });
      if (answer.kind === 'REFUSED' || answer.kind === 'HANDSHAKE') room.wasUnsigned();
      logger.debug({ system: system.id, outcome: answer.kind, requestId: request.id }, 'webhook');
      if (answer.kind === 'ACCEPTED' && answer.feeds.length > 0) system.nudge(answer.feeds);
      return await send(reply, request, answer);
    });
    await Promise.resolve();
  });
}

async function send(reply: FastifyReply, request: FastifyRequest, answer: WebhookAnswer): Promise<FastifyReply> {
  switch (answer.kind) {
    case 'REFUSED':
      return await refuse(reply, request, 'UNAUTHENTICATED');
    case 'UNREADABLE':
      return await refuse(reply, request, 'BAD_REQUEST');
    case 'HANDSHAKE':
      return await reply.status(200).type('text/plain; charset=utf-8').send(answer.text);
    case 'REPLAYED':
    case 'ACCEPTED':
      return await reply.status(200).send({ status: answer.kind.toLowerCase() });
  }
}

const STATUSES = { NOT_FOUND: 404, UNAUTHENTICATED: 401, BAD_REQUEST: 400, OVERLOADED: 429 } as const satisfies Partial<
  Record<ErrorCode, number>
>;

const MESSAGES = {
  NOT_FOUND: undefined,
  UNAUTHENTICATED: 'The delivery is not signed by the system, or was signed too long ago.',
  BAD_REQUEST: 'The delivery cannot be read.',
  OVERLOADED: 'Too many deliveries at once: send it again.',
} as const;

async function refuse(
  reply: FastifyReply,
  request: FastifyRequest,
  code: keyof typeof STATUSES,
): Promise<FastifyReply> {
  if (code === 'OVERLOADED') reply.header('retry-after', '1');
  return await reply.status(STATUSES[code]).send(errorBody(code, request.id, MESSAGES[code]));
}

function headersOf(request: FastifyRequest): Readonly<Record<string, string>> {
  const single = Object.entries(request.headers).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(single);
}
