// The development issuer. Written by hand on jose, because oidc-provider 9.13 takes 180-300 ms to load (the whole
// sandbox has 1.2 s), allows a client one way to authenticate (the development grant needs no secret, client
// credentials do) and grants a token without the scopes a client may not have instead of answering invalid_scope.
import { randomUUID, timingSafeEqual } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { WebHandler } from './http-server.ts';
import { DEVELOPMENT_SECRET, ISSUER_CLIENTS } from './issuer-clients.ts';
import type { IssuerClient } from './issuer-clients.ts';

/** Binds a token of a development client to a person or a store; needs no secret. */
export const DEVELOPMENT_GRANT = 'urn:mortar:params:oauth:grant-type:development';
export const SANDBOX_AUDIENCE = 'https://mortar.sandbox/graph';

export interface IssuerOptions {
  /** The issuer's own address: `iss` of its tokens. */
  readonly url: string;
  /** `loc_...` an associate gets who names no store. */
  readonly firstStoreId: string;
  /** @default Date.now */
  readonly nowMs?: () => number;
}

const LIFETIME_SECONDS = 3_600;
const ALGORITHM = 'ES256';
const KEY_ID = 'sandbox-1';
const CLIENT_CREDENTIALS = 'client_credentials';

/** An OAuth 2 error answer (RFC 6749, section 5.2). */
class TokenRefusal extends Error {
  readonly code: string;

  constructor(code: string, description: string) {
    super(description);
    this.code = code;
  }
}

/**
 * Serves discovery (RFC 8414), keys and the token endpoint (RFC 6749; grants client_credentials and development). Access
 * tokens are those of RFC 9068: typ at+jwt, ES256, an hour; keys are made anew at every start.
 */
export async function createIssuer(options: IssuerOptions): Promise<WebHandler> {
  const { privateKey, publicKey } = await generateKeyPair(ALGORITHM);
  const jwk = { ...(await exportJWK(publicKey)), kid: KEY_ID, use: 'sig', alg: ALGORITHM };
  const nowMs = options.nowMs ?? Date.now;

  const sign = (claims: Claims): Promise<string> => {
    const issuedAt = Math.floor(nowMs() / 1_000);
    return new SignJWT({ ...claims })
      .setProtectedHeader({ alg: ALGORITHM, typ: 'at+jwt', kid: KEY_ID })
      .setIssuer(options.url)
      .setAudience(SANDBOX_AUDIENCE)
      .setSubject(claims.customer_id ?? claims.client_id)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + LIFETIME_SECONDS)
      .setJti(randomUUID())
      .sign(privateKey);
  };

  const issueToken = async (request: Request): Promise<Response> => {
    const form = await readForm(request);
    const claims = toClaims(request, form, options.firstStoreId);
    const body = {
      access_token: await sign(claims),
      token_type: 'Bearer',
      expires_in: LIFETIME_SECONDS,
      scope: claims.scope,
    };
    return Response.json(body, { headers: { 'cache-control': 'no-store' } });
  };

  return async (request) => {
    const { pathname } = new URL(request.url);
    const route = `${request.method} ${pathname}`;
    if (DISCOVERY.has(route)) return Response.json(discovery(options.url));
    if (route === 'GET /jwks') return Response.json({ keys: [jwk] });
    if (route === 'GET /livez') return Response.json({ status: 'ok' });
    if (route !== 'POST /token') return Response.json({ error: 'not_found' }, { status: 404 });
    try {
      return await issueToken(request);
    } catch (error) {
      if (error instanceof TokenRefusal) return refusal(request, error);
      throw error;
    }
  };
}

const DISCOVERY = new Set(['GET /.well-known/openid-configuration', 'GET /.well-known/oauth-authorization-server']);

function discovery(url: string): object {
  return {
    issuer: url,
    token_endpoint: `${url}/token`,
    jwks_uri: `${url}/jwks`,
    grant_types_supported: [CLIENT_CREDENTIALS, DEVELOPMENT_GRANT],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
    response_types_supported: [],
    subject_types_supported: ['public'],
    scopes_supported: [...new Set(ISSUER_CLIENTS.flatMap(({ scopes }) => scopes))],
  };
}

interface Claims {
  readonly client_id: string;
  readonly scope: string;
  readonly role: string;
  readonly purposes: readonly string[];
  readonly store_ids: readonly string[];
  readonly recipient?: string;
  readonly customer_id?: string;
}

function toClaims(request: Request, form: URLSearchParams, firstStoreId: string): Claims {
  const grant = form.get('grant_type');
  if (grant === null) throw new TokenRefusal('invalid_request', 'grant_type is missing');
  if (grant !== CLIENT_CREDENTIALS && grant !== DEVELOPMENT_GRANT) {
    throw new TokenRefusal('unsupported_grant_type', `use ${CLIENT_CREDENTIALS} or ${DEVELOPMENT_GRANT}`);
  }
  const client = authenticate(request, form, grant === DEVELOPMENT_GRANT);
  const development = grant === DEVELOPMENT_GRANT;
  const customer = development ? (form.get('customer_id') ?? form.get('customer')) : null;
  const store = development ? (form.get('store_id') ?? form.get('store')) : null;
  const resource = form.get('resource');
  if (resource !== null && resource !== SANDBOX_AUDIENCE) {
    throw new TokenRefusal('invalid_target', `the only resource is ${SANDBOX_AUDIENCE}`);
  }
  return {
    client_id: client.clientId,
    scope: grantedScope(client, form.get('scope')),
    role: client.role,
    purposes: client.purposes,
    store_ids: storesOf(client, store, firstStoreId),
    ...(client.recipient === null ? {} : { recipient: client.recipient }),
    ...customerOf(client, customer),
  };
}

function authenticate(request: Request, form: URLSearchParams, secretOptional: boolean): IssuerClient {
  const basic = readBasic(request.headers.get('authorization'));
  const id = basic?.id ?? form.get('client_id');
  const secret = basic?.secret ?? form.get('client_secret');
  const client = ISSUER_CLIENTS.find(({ clientId }) => clientId === id);
  if (client === undefined) {
    const known = ISSUER_CLIENTS.map(({ clientId }) => clientId).join(', ');
    throw new TokenRefusal('invalid_client', `unknown client; known clients: ${known}`);
  }
  const isRight = secret === null ? secretOptional : equal(secret, DEVELOPMENT_SECRET);
  if (!isRight) throw new TokenRefusal('invalid_client', 'the client secret is missing or wrong');
  return client;
}

/** RFC 6749, section 2.3.1: both parts are form-encoded before they are joined. */
function readBasic(header: string | null): { readonly id: string; readonly secret: string } | null {
  const encoded = /^basic ([\w+/=-]{1,2000})$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return null;
  const [id = '', ...secret] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  try {
    return { id: decodeURIComponent(id), secret: decodeURIComponent(secret.join(':')) };
  } catch {
    throw new TokenRefusal('invalid_client', 'the Authorization header is malformed');
  }
}

function grantedScope(client: IssuerClient, asked: string | null): string {
  if (asked === null || asked.trim() === '') return client.scopes.join(' ');
  const words = asked.trim().split(/\s+/);
  const foreign = words.find((word) => !(client.scopes as readonly string[]).includes(word));
  if (foreign !== undefined)
    throw new TokenRefusal('invalid_scope', `${client.clientId} may have: ${client.scopes.join(' ')}`);
  return [...new Set(words)].join(' ');
}

function storesOf(client: IssuerClient, store: string | null, firstStoreId: string): readonly string[] {
  if (client.role !== 'associate') {
    if (store !== null) throw new TokenRefusal('invalid_request', 'only associate is bound to a store');
    return [];
  }
  if (store !== null && !/^loc_[\w-]{4,60}$/.test(store)) {
    throw new TokenRefusal(
      'invalid_request',
      'a store is named by its id (loc_...): { locations { nodes { id name } } } lists them',
    );
  }
  return [store ?? firstStoreId];
}

function customerOf(client: IssuerClient, customer: string | null): { readonly customer_id?: string } {
  if (client.role !== 'customer') {
    if (customer !== null) throw new TokenRefusal('invalid_request', 'only customer-app is bound to a customer');
    return {};
  }
  if (customer !== null && /^cus_[\w-]{4,60}$/.test(customer)) return { customer_id: customer };
  throw new TokenRefusal(
    'invalid_request',
    'customer-app acts for one person and needs their id (cus_...): a token of associate lists some with { customers(first: 5) { nodes { id } } }',
  );
}

async function readForm(request: Request): Promise<URLSearchParams> {
  const type = request.headers.get('content-type') ?? '';
  if (!type.startsWith('application/x-www-form-urlencoded')) {
    throw new TokenRefusal('invalid_request', 'the body is application/x-www-form-urlencoded');
  }
  const form = new URLSearchParams(await request.text());
  for (const name of new Set(form.keys())) {
    if (form.getAll(name).length > 1) throw new TokenRefusal('invalid_request', 'a parameter is there twice');
  }
  return form;
}

function refusal(request: Request, { code, message }: TokenRefusal): Response {
  const basic = request.headers.has('authorization');
  const headers = {
    'cache-control': 'no-store',
    ...(code === 'invalid_client' && basic ? { 'www-authenticate': 'Basic' } : {}),
  };
  return Response.json(
    { error: code, error_description: message },
    { status: code === 'invalid_client' ? 401 : 400, headers },
  );
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
