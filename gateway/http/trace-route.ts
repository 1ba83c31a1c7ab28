import type { FastifyInstance } from 'fastify';

import { publicBase } from './health-routes.ts';
import { errorBody } from './request-error.ts';
import type { VerifyToken } from '#gateway/auth/verify-token.ts';
import { visibleTo } from '#gateway/trace/trace-record.ts';
import { TRACE_TTL_MS, type TraceStore } from '#gateway/trace/trace-store.ts';
import { ERROR_CODES, type ErrorCode, MortarError } from '#platform/errors.ts';

export interface TraceRouteDeps {
  readonly verifyToken: VerifyToken;
  readonly traces: Pick<TraceStore, 'find'>;
  readonly publicUrl?: string | undefined;
}

const MINUTES = TRACE_TTL_MS / 60_000;
const UNKNOWN = `No request of that id is remembered: they are for ${MINUTES} minutes at most, fewer under load.`;

/** Adds GET /trace/{request id}: what is remembered of recent requests, for whoever holds systems:read. */
export function addTraceRoute(app: FastifyInstance, { verifyToken, traces, publicUrl }: TraceRouteDeps): void {
  app.get<{ Params: { requestId: string } }>('/trace/:requestId', async (request, reply) => {
    reply.header('cache-control', 'private, no-store');
    const refuse = (code: ErrorCode, message?: string) =>
      reply.status(ERROR_CODES[code].http).send(errorBody(code, request.id, message));
    try {
      const principal = await verifyToken(request.headers.authorization);
      if (principal === null) throw new MortarError('UNAUTHENTICATED');
      if (!principal.scopes.has('systems:read'))
        return await refuse('SCOPE_REQUIRED', 'A trace needs a token with the scope systems:read.');
      const requests = await traces.find(request.params.requestId);
      if (requests.length === 0) return await refuse('NOT_FOUND', UNKNOWN);
      return { requests: requests.map((record) => visibleTo(principal.role, record)) };
    } catch (error) {
      if (!(error instanceof MortarError)) throw error;
      if (error.code === 'UNAUTHENTICATED') {
        const metadata = `${publicBase(request, { publicUrl })}/.well-known/oauth-protected-resource`;
        reply.header('www-authenticate', `Bearer resource_metadata="${metadata}"`);
      }
      return refuse(error.code, error.message);
    }
  });
}
