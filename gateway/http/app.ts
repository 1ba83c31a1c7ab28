import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { GraphQLError } from 'graphql';

import { answerClientError } from './client-error.ts';
import { endConnectionsAtClose } from './connections-at-close.ts';
import { errorBody } from './request-error.ts';
import type { Config } from '#gateway/config-schema.ts';
import { assertJsonLimits } from '#gateway/plugins/json-limits.ts';
import type { ErrorCode } from '#platform/errors.ts';
import { ERROR_CODES, isErrorCode } from '#platform/errors.ts';
import type { Logger } from '#platform/log.ts';

const REQUEST_ID = /^[\w.:-]{1,64}$/;
const MAX_HEADER_BYTES = 32_768;
const HEADERS_TIMEOUT_MS = 10_000;

/** What an app needs of a configuration. */
interface AppConfig extends Pick<Config, 'cors'> {
  readonly limits: Pick<Config['limits'], 'bodyBytes'>;
}

/** Fastify with our rules and no routes: JSON bodies only, bounded; request ids; every failure is JSON with a code. */
export function createApp(config: AppConfig, logger: Logger): FastifyInstance {
  const app = Fastify({
    bodyLimit: config.limits.bodyBytes,
    exposeHeadRoutes: false,
    requestTimeout: 30_000,
    // A caller's id may be logged and sent back, so it must be harmless; anything else gets one of ours.
    genReqId: (request) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    },
    http: { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: HEADERS_TIMEOUT_MS },
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => {
      // A reply is thenable; what is sent is sent.
      void sendFailure(error, request, reply, logger);
    },
  });
  // Without text/plain a page of another origin cannot post without asking first.
  app.removeContentTypeParser('text/plain');
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body: string, done) => {
    try {
      assertJsonLimits(body);
    } catch (error) {
      done(error instanceof Error ? error : null);
      return;
    }
    // It calls back and returns nothing.
    void parseJson(request, body, done);
  });
  app.addHook('onRequest', (request, reply, done) => {
    void reply
      .header('x-request-id', request.id)
      .header('x-content-type-options', 'nosniff')
      .header('referrer-policy', 'no-referrer');
    done();
  });
  addCors(app, config);
  endConnectionsAtClose(app);
  app.setErrorHandler((error: FastifyError | GraphQLError, request, reply) =>
    sendFailure(error, request, reply, logger),
  );
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? '';
    const known = app.hasRoute({ method: 'GET', url: path }) || app.hasRoute({ method: 'POST', url: path });
    if (known)
      reply.header(
        'allow',
        path === '/graphql' ? 'GET, POST' : app.hasRoute({ method: 'GET', url: path }) ? 'GET' : 'POST',
      );
    return send(reply, known ? 'METHOD_NOT_ALLOWED' : 'NOT_FOUND', request.id);
  });
  return app;
}

/** Fastify's own codes in our words. */
const FASTIFY_CODES: Readonly<Record<string, readonly [ErrorCode, string | undefined]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['REQUEST_TOO_LARGE', undefined],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['UNSUPPORTED_MEDIA_TYPE', undefined],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['BAD_REQUEST', 'The request has no body; send a JSON object with a string query.'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['BAD_REQUEST', 'The request body is not valid JSON.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['BAD_REQUEST', 'The Content-Length header does not match the body.'],
  FST_ERR_BAD_URL: ['BAD_REQUEST', 'The address is not well-formed.'],
};

// oxlint-disable-next-line max-params -- Fastify's own, and where to tell of the unexpected
function sendFailure(
  error: FastifyError | GraphQLError,
  request: FastifyRequest,
  reply: FastifyReply,
  logger: Logger,
): FastifyReply {
  if (error instanceof GraphQLError) {
    const { code } = error.extensions;
    return send(reply, isErrorCode(code) ? code : 'BAD_REQUEST', request.id, error.message);
  }
  const known = FASTIFY_CODES[error.code];
  if (known !== undefined) return send(reply, known[0], request.id, known[1]);
  if (error instanceof SyntaxError)
    return send(reply, 'BAD_REQUEST', request.id, 'The request body is not valid JSON.');
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) return send(reply, 'BAD_REQUEST', request.id, undefined, status);
  logger.error({ err: error, requestId: request.id }, 'a request failed outside GraphQL');
  return send(reply, 'INTERNAL_SERVER_ERROR', request.id);
}

// oxlint-disable-next-line max-params -- one place writes failures; the last two are rarely given
function send(
  reply: FastifyReply,
  code: ErrorCode,
  requestId: string,
  message?: string,
  status?: number,
): FastifyReply {
  return reply
    .status(status ?? ERROR_CODES[code].http)
    .header('cache-control', 'no-store')
    .type('application/json; charset=utf-8')
    .send(errorBody(code, requestId, message));
}

/** Lets pages of the configured origins call the graph; without configuration no header is ever sent. */
function addCors(app: FastifyInstance, { cors }: AppConfig): void {
  const allowed = new Set(cors?.origins.map((origin) => new URL(origin).origin));
  if (allowed.size === 0) return;
  app.addHook('onRequest', async (request, reply) => {
    const { origin } = request.headers;
    reply.header('vary', 'Origin');
    if (origin === undefined || !allowed.has(origin)) return;
    reply.header('access-control-allow-origin', origin).header('access-control-expose-headers', 'x-request-id');
    if (request.method !== 'OPTIONS') return;
    await reply
      .status(204)
      .header('access-control-allow-methods', 'GET, POST')
      .header(
        'access-control-allow-headers',
        'authorization, content-type, mortar-purpose, mortar-medium, mortar-trace, x-request-id, apollo-require-preflight',
      )
      .header('access-control-max-age', '600')
      .send();
  });
}
