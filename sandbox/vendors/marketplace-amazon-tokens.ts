import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { amazonError, amazonJson, amazonRefusal } from './marketplace-amazon-wire.ts';
import type { Restricted } from './marketplace-amazon-wire.ts';

export const AMAZON_CREDENTIALS = {
  clientId: 'amzn1.application-oa2-client.sandbox',
  clientSecret: 'amzn1.oa2-cs.v1.sandbox',
  refreshToken: 'Atzr|sandbox-refresh-token',
} as const;

export const LWA_PATH = '/auth/o2/token';
export const RESTRICTED_TOKEN_PATH = '/tokens/2021-03-01/restrictedDataToken';

const LIFE_MS = 3_600_000;
const MAX_TOKENS = 1000;
const PATHS = [
  '/orders/v0/orders',
  '/orders/v0/orders/{orderId}',
  '/orders/v0/orders/{orderId}/address',
  '/orders/v0/orders/{orderId}/buyerInfo',
  '/orders/v0/orders/{orderId}/orderItems',
  '/orders/2026-01-01/orders',
  '/orders/2026-01-01/orders/{orderId}',
].map((template) => new RegExp(`^${template.replace('{orderId}', '(\\{orderId\\}|[A-Za-z0-9-]{1,64})')}$`));
const elements = z.enum(['buyerInfo', 'shippingAddress']);
const restrictedBody = z.object({
  targetApplication: z.string().optional(),
  restrictedResources: z
    .array(
      z.object({
        method: z.enum(['GET', 'PUT', 'POST', 'DELETE']),
        path: z.string().refine((path) => PATHS.some((known) => known.test(path))),
        dataElements: z.array(elements).optional(),
      }),
    )
    .min(1)
    .max(50),
});

type Resource = z.output<typeof restrictedBody>['restrictedResources'][number];

interface Token {
  readonly expiresAtMs: number;
  /** Null: an ordinary access token. */
  readonly resources: readonly Resource[] | null;
}

/** What a token allows: ordinary access, with the restricted data it opens for the path. */
type Access =
  | { readonly kind: 'granted'; readonly restricted: ReadonlySet<Restricted> }
  | { readonly kind: 'denied'; readonly details: string };

/** Issues and checks the tokens of one fake: Login with Amazon access tokens and restricted data tokens, an hour each. */
export interface AmazonTokens {
  /** `POST /auth/o2/token`, form encoded. */
  readonly login: (request: Request, nowMs: number) => Promise<Response>;
  /** `POST /tokens/2021-03-01/restrictedDataToken`; the caller is already authorized. */
  readonly restrict: (request: Request, nowMs: number) => Promise<Response>;
  readonly check: (request: Request, nowMs: number) => Access;
}

/** A fresh set of tokens. */
export function createAmazonTokens(): AmazonTokens {
  const tokens = new Map<string, Token>();
  const issue = (prefix: string, nowMs: number, resources: Token['resources']) => {
    for (const [text, { expiresAtMs }] of tokens)
      if (expiresAtMs <= nowMs || tokens.size >= MAX_TOKENS) tokens.delete(text);
    const text = `${prefix}|${randomBytes(24).toString('base64url')}`;
    tokens.set(text, { expiresAtMs: nowMs + LIFE_MS, resources });
    return text;
  };
  return {
    login: async (request, nowMs) => {
      const refusal = loginRefusal(new URLSearchParams(await request.text()));
      if (refusal !== null) return refusal;
      return amazonJson({
        access_token: issue('Atza', nowMs, null),
        refresh_token: AMAZON_CREDENTIALS.refreshToken,
        token_type: 'bearer',
        expires_in: LIFE_MS / 1000,
      });
    },
    restrict: async (request, nowMs) => {
      const parsed = restrictedBody.safeParse(await readJson(request));
      if (!parsed.success) throw amazonRefusal('restrictedResources is not valid');
      const restrictedDataToken = issue('Atz.sprdt', nowMs, parsed.data.restrictedResources);
      return amazonJson({ restrictedDataToken, expiresIn: LIFE_MS / 1000 });
    },
    check: (request, nowMs) => accessOf(tokens, request, nowMs),
  };
}

function accessOf(tokens: ReadonlyMap<string, Token>, request: Request, nowMs: number): Access {
  const text = request.headers.get('x-amz-access-token');
  if (!text) return { kind: 'denied', details: 'Access token is missing in the request header.' };
  const token = tokens.get(text);
  if (token === undefined)
    return { kind: 'denied', details: 'The access token you provided is revoked, malformed or invalid.' };
  if (token.expiresAtMs <= nowMs) return { kind: 'denied', details: 'The access token you provided has expired.' };
  if (token.resources === null) return { kind: 'granted', restricted: new Set() };
  const { pathname } = new URL(request.url);
  const covering = token.resources.filter(({ method, path }) => method === request.method && covers(path, pathname));
  if (covering.length === 0)
    return { kind: 'denied', details: 'The restricted data token does not cover this resource.' };
  const opened = covering.flatMap((resource) => resource.dataElements ?? elementsOf(resource.path));
  return { kind: 'granted', restricted: new Set(opened) };
}

/** The address and buyerInfo operations are restricted as a whole: they take no data elements. */
function elementsOf(path: string): readonly Restricted[] {
  if (path.endsWith('/buyerInfo')) return ['buyerInfo'];
  return path.endsWith('/address') ? ['shippingAddress'] : [];
}

function covers(template: string, pathname: string): boolean {
  const [wanted, held] = [template.split('/'), pathname.split('/')];
  return wanted.length === held.length && wanted.every((part, index) => part === '{orderId}' || part === held[index]);
}

function loginRefusal(form: URLSearchParams): Response | null {
  const refuse = (status: number, error: string, description: string) =>
    amazonJson({ error, error_description: description }, status);
  if (form.get('grant_type') !== 'refresh_token') {
    return refuse(400, 'unsupported_grant_type', 'The authorization grant type is not supported by the server');
  }
  const { clientId, clientSecret, refreshToken } = AMAZON_CREDENTIALS;
  if (form.get('client_id') !== clientId || form.get('client_secret') !== clientSecret) {
    return refuse(401, 'invalid_client', 'Client authentication failed');
  }
  if (form.get('refresh_token') === refreshToken) return null;
  return refuse(400, 'invalid_grant', 'The request has an invalid grant parameter : refresh_token');
}

async function readJson(request: Request): Promise<unknown> {
  try {
    return await request.json();
  } catch {
    throw amazonRefusal('The body is not valid JSON');
  }
}

/** SP-API's answer to a request without a valid token. */
export const amazonDenied = (details: string) =>
  amazonError(403, 'Unauthorized', 'Access to requested resource is denied.', details);
