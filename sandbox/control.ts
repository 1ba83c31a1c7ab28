import { z } from 'zod';
import type { Calls } from './calls.ts';
import { applyEvent, eventInput, EventRefused } from './control-events.ts';
import { faultInput } from './faults.ts';
import type { Faults } from './faults.ts';
import type { Journal } from './journal.ts';
import type { WebhookSender } from './webhook-sender.ts';
import type { WebHandler } from './http-server.ts';
import { toWorldTruth } from './world-truth.ts';
import type { World } from './world/types.ts';

export interface ControlOptions {
  readonly world: () => World;
  readonly rebuild: () => Promise<void>;
  readonly calls: Calls;
  readonly faults: Faults;
  readonly nowMs: () => number;
  readonly journal: Pick<Journal, 'note'>;
  readonly webhooks: Pick<WebhookSender, 'deliverTo' | 'counts'>;
}

type Route = (request: Request) => Response | Promise<Response>;

/**
 * The control port: GET /livez, /world, /calls, /webhooks; POST /reset, /faults, /events, /webhooks. Answers JSON; what it cannot do is 400
 * with `{error}`.
 */
export function createControl(options: ControlOptions): WebHandler {
  const { world, rebuild, calls, faults, nowMs, journal, webhooks } = options;
  const routes: Readonly<Record<string, Readonly<Record<string, Route>>>> = {
    '/livez': { GET: () => Response.json({ status: 'ok' }) },
    '/world': { GET: () => Response.json(toWorldTruth(world())) },
    '/calls': { GET: () => Response.json(calls.counts()) },
    '/reset': {
      POST: async () => {
        faults.clear();
        await rebuild();
        calls.clear();
        return Response.json({ status: 'ok', sequence: world().sequence });
      },
    },
    '/faults': {
      POST: async (request) => {
        const input = await readInput(request, faultInput);
        faults.set(input);
        return Response.json(input);
      },
    },
    '/webhooks': {
      GET: () => Response.json(webhooks.counts()),
      POST: async (request) => {
        const { to } = await readInput(request, webhooksInput);
        webhooks.deliverTo(to);
        return Response.json({ to });
      },
    },
    '/events': {
      POST: async (request) => {
        const event = await readInput(request, eventInput);
        const atMs = nowMs();
        const changed = applyEvent(world(), event, atMs);
        const { sequence } = world();
        const answer = { sequence, changed: { ...changed } };
        await journal.note({ atMs, sequence, event });
        return Response.json(answer);
      },
    },
  };
  return async (request) => {
    const { pathname } = new URL(request.url);
    const methods = Object.hasOwn(routes, pathname) ? routes[pathname] : undefined;
    if (methods === undefined) return refuse(404, `nothing here; known: ${Object.keys(routes).join(', ')}`);
    const route = Object.hasOwn(methods, request.method) ? methods[request.method] : undefined;
    if (route === undefined) return refuse(405, `use ${Object.keys(methods).join(', ')}`);
    try {
      return await route(request);
    } catch (error) {
      if (error instanceof BadInput || error instanceof EventRefused) return refuse(400, error.message);
      throw error;
    }
  };
}

/** The body of `POST /webhooks`: where the gateway is; null: nowhere. */
const webhooksInput = z.strictObject({
  to: z
    .url({ protocol: /^https?$/ })
    .transform((url) => url.replace(/\/+$/, ''))
    .nullable(),
});

class BadInput extends Error {}

async function readInput<S extends z.ZodType>(request: Request, schema: S): Promise<z.output<S>> {
  let body: unknown;
  try {
    body = await request.json();
  } catch {
    throw new BadInput('the body is not JSON');
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new BadInput(z.prettifyError(parsed.error));
}

function refuse(status: number, error: string): Response {
  return Response.json({ error }, { status });
}
