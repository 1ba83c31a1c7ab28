import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';

import { errorBody } from './request-error.ts';
import { DEVELOPMENT_CLIENTS, requestDevelopmentToken } from '#gateway/auth/development-grant.ts';
import type { Config } from '#gateway/config-schema.ts';
import { ERROR_CODES, MortarError } from '#platform/errors.ts';

const PAGES = fileURLToPath(new URL('../web/dist/', import.meta.url));

/** No request leaves the origin; monaco needs inline styles and blob workers. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.ttf': 'font/ttf',
  '.woff2': 'font/woff2',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
};

const tokenRequest = z.strictObject({
  client: z.string().min(1).max(100),
  customer: z.string().min(1).max(200).optional(),
  store: z.string().min(1).max(200).optional(),
});

/**
 * Serves the bundled editor at /graphiql and, over the sandbox only, its development clients and their tokens. Only files
 * that were in the folder at start are served, so no path of a caller ever reaches the disk.
 */
export async function addGraphiqlRoutes(app: FastifyInstance, config: Config): Promise<void> {
  const files = new Set(await listFiles());
  const page = (reply: FastifyReply) => sendFile(reply, files, 'index.html');
  app.get('/graphiql', async (_request, reply) => page(reply));
  app.get('/graphiql/', async (_request, reply) => page(reply));
  app.get<{ Params: { '*': string } }>('/graphiql/*', async (request, reply) =>
    sendFile(reply, files, request.params['*']),
  );
  if (!config.sandbox || config.production) return;
  app.get('/graphiql/clients', () => ({ clients: DEVELOPMENT_CLIENTS }));
  app.post('/graphiql/token', async (request, reply) => {
    const parsed = tokenRequest.safeParse(request.body);
    reply.header('cache-control', 'no-store');
    if (!parsed.success) {
      return reply.status(400).send(errorBody('BAD_USER_INPUT', request.id, 'Send {client, customer?, store?}.'));
    }
    try {
      return { token: await requestDevelopmentToken(config.issuer.url, parsed.data) };
    } catch (error) {
      const { code, message } = error instanceof MortarError ? error : new MortarError('INTERNAL_SERVER_ERROR');
      return reply.status(ERROR_CODES[code].http).send(errorBody(code, request.id, message));
    }
  });
}

async function listFiles(): Promise<readonly string[]> {
  try {
    const entries = await readdir(PAGES, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(PAGES.length).replaceAll('\\', '/'));
  } catch {
    // Not built (an install without development tools): the graph is served without pages.
    return [];
  }
}

async function sendFile(reply: FastifyReply, files: ReadonlySet<string>, name: string): Promise<FastifyReply> {
  if (!files.has(name)) {
    const hint =
      name === 'index.html'
        ? 'The editor is not built; install the development tools and run: npm run prepare'
        : undefined;
    return reply.status(404).send(errorBody('NOT_FOUND', reply.request.id, hint));
  }
  const body = await readFile(join(PAGES, name));
  return reply
    .header('content-security-policy', CONTENT_SECURITY_POLICY)
    .header('cache-control', name.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache')
    .type(TYPES[extname(name)] ?? 'application/octet-stream')
    .send(body);
}
