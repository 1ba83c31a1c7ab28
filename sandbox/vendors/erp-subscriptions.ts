import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { WorldChange } from '#sandbox/world/announcements.ts';
import type { WebhookContext, WebhookMessage } from '#sandbox/world/types.ts';

const LIFE_MS = 3 * 86_400_000;
const HANDSHAKE_MS = 5_000;
const MOST = 200;

const createBody = z.object({
  notificationUrl: z.url({ protocol: /^https?$/ }),
  resource: z.string().min(1).max(500),
  clientState: z.string().max(2_048).optional(),
});
const renewBody = createBody.partial();

interface Subscription {
  readonly id: string;
  readonly notificationUrl: string;
  readonly resource: string;
  readonly clientState: string;
  readonly etag: string;
  readonly changedAtMs: number;
  readonly expiresAtMs: number;
}

/** Webhook subscriptions of the Business Central fake: made and renewed by a handshake, ended after three days. */
export interface ErpSubscriptions {
  /** Answers a request below `/subscriptions`; `id` null: the list itself. */
  readonly handle: (request: Request, id: string | null, nowMs: number) => Promise<Response>;
  readonly webhooks: (change: WorldChange, context: WebhookContext) => readonly WebhookMessage[];
}

type OdataError = (status: number, code: string, message: string) => Response;

/** @param refuse - Business Central's own error answer */
export function createErpSubscriptions(companyPath: string, refuse: OdataError): ErpSubscriptions {
  const kept = new Map<string, Subscription>();
  const live = (nowMs: number): readonly Subscription[] => {
    for (const [id, { expiresAtMs }] of kept) if (expiresAtMs <= nowMs) kept.delete(id);
    return [...kept.values()];
  };
  const keep = (wanted: Omit<Subscription, 'etag' | 'changedAtMs' | 'expiresAtMs'>, nowMs: number): Subscription => {
    const made = { ...wanted, etag: `W/"${randomUUID()}"`, changedAtMs: nowMs, expiresAtMs: nowMs + LIFE_MS };
    kept.set(made.id, made);
    return made;
  };

  async function create(request: Request, nowMs: number): Promise<Response> {
    const parsed = createBody.safeParse(await request.json().catch(() => null));
    if (!parsed.success) return refuse(400, 'BadRequest', 'The subscription is not valid.');
    const { notificationUrl, resource, clientState = '' } = parsed.data;
    if (live(nowMs).length >= MOST) return refuse(400, 'BadRequest', 'There are too many subscriptions.');
    if (live(nowMs).some((entry) => entry.notificationUrl === notificationUrl && entry.resource === resource)) {
      return refuse(400, 'Internal_EntityWithSameKeyExists', 'The record in table API Webhook Subscription exists.');
    }
    if (!(await shakesHands(notificationUrl))) return refuse(400, 'BadRequest', 'The handshake failed.');
    const id = randomUUID().replaceAll('-', '');
    return Response.json(toWire(keep({ id, notificationUrl, resource, clientState }, nowMs)), { status: 201 });
  }

  async function renew(request: Request, known: Subscription, nowMs: number): Promise<Response> {
    const match = request.headers.get('if-match');
    if (match === null) return refuse(400, 'BadRequest', 'If-Match is required.');
    if (match !== '*' && match !== known.etag) return refuse(409, 'Request_EntityChanged', 'Another user changed it.');
    const parsed = renewBody.safeParse(await request.json().catch(() => null));
    if (!parsed.success) return refuse(400, 'BadRequest', 'The subscription is not valid.');
    const { clientState = known.clientState, notificationUrl = known.notificationUrl } = parsed.data;
    if (!(await shakesHands(notificationUrl))) return refuse(400, 'BadRequest', 'The handshake failed.');
    return Response.json(toWire(keep({ ...known, clientState, notificationUrl }, nowMs)));
  }

  return {
    async handle(request, id, nowMs) {
      if (id === null && request.method === 'GET') return Response.json({ value: live(nowMs).map(toWire) });
      if (id === null && request.method === 'POST') return await create(request, nowMs);
      const known = live(nowMs).find((entry) => entry.id === id);
      if (known === undefined) return refuse(404, 'BadRequest_NotFound', 'The subscription does not exist.');
      if (request.method === 'PATCH') return await renew(request, known, nowMs);
      return refuse(405, 'BadRequest_MethodNotAllowed', 'Method not allowed.');
    },
    webhooks(change, { nowMs }) {
      const resource = resourceOf(change);
      if (resource === null) return [];
      return live(nowMs)
        .filter((entry) => entry.resource.endsWith(`/${resource.set}`))
        .map(({ id, notificationUrl, clientState, expiresAtMs }) => ({
          url: notificationUrl,
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({
            value: [
              {
                subscriptionId: id,
                clientState,
                expirationDateTime: new Date(expiresAtMs).toISOString(),
                resource: `${companyPath}/${resource.set}(${resource.id})`,
                changeType: resource.changeType,
                lastModifiedDateTime: new Date(nowMs).toISOString(),
              },
            ],
          }),
        }));
    },
  };
}

function resourceOf(change: WorldChange): { set: string; id: string; changeType: 'created' | 'updated' } | null {
  if (change.kind !== 'order' || change.order.ids.erp === undefined) return null;
  return { set: 'salesOrders', id: change.order.ids.erp, changeType: change.isNew ? 'created' : 'updated' };
}

/** Whether whoever is at the address repeats the token it is asked to. */
async function shakesHands(notificationUrl: string): Promise<boolean> {
  const token = randomUUID();
  const url = new URL(notificationUrl);
  url.searchParams.set('validationToken', token);
  try {
    const signal = AbortSignal.timeout(HANDSHAKE_MS);
    const answer = await fetch(url, { method: 'POST', signal, redirect: 'manual' });
    return answer.status === 200 && (await answer.text()) === token;
  } catch {
    // Nobody there: no subscription.
    return false;
  }
}

function toWire({ id, notificationUrl, resource, clientState, ...rest }: Subscription): object {
  return {
    '@odata.etag': rest.etag,
    subscriptionId: id,
    notificationUrl,
    resource,
    userId: '00000000-0000-0000-0000-000000000001',
    lastModifiedDateTime: new Date(rest.changedAtMs).toISOString(),
    clientState,
    expirationDateTime: new Date(rest.expiresAtMs).toISOString(),
  };
}
