import { z } from 'zod';

import type { Clock } from '#platform/clock.ts';

import { limitCall } from './deadline.ts';
import type { Auth, SessionAuth, TokenAuth } from './definition.ts';
import { upstreamError } from './failure.ts';
import type { HttpAnswer, Transport } from './transport.ts';

const TOKEN_TIMEOUT_MS = 3_000;
/** A token is renewed this long before the source says it ends. */
const TOKEN_MARGIN_MS = 60_000;

const tokenAnswer = z.object({
  access_token: z.string().min(1).max(8_192),
  expires_in: z.coerce.number().positive().default(3_600),
});

const exchangeAnswer = z.object({
  restrictedDataToken: z.string().min(1).max(8_192),
  expiresIn: z.coerce.number().positive(),
});

type Headers = Readonly<Record<string, string>>;

export interface Authorizer {
  /**
   * The headers to send; fetches a token when there is none. `restricted`: with the narrower token some calls need.
   * @throws {MortarError} UPSTREAM_UNAVAILABLE, UPSTREAM_CONTRACT
   */
  readonly headers: (restricted: boolean) => Promise<Headers>;
  /** Says that the system refused these headers; the next call gets a new token. Ignored when a newer one is already there. */
  readonly refused: (headers: Headers) => void;
  /** True when a refusal with this status can be cured by a new token. */
  readonly canRenew: (status: number) => boolean;
}

interface Held {
  readonly headers: Headers;
  readonly renewAtMs: number;
}

/** Authorizes the calls of one system: at most one request for a token is under way, whoever waits for it. */
export function createAuthorizer<S>(
  auth: Auth<S>,
  settings: S,
  deps: { clock: Clock; transport: Transport },
): Authorizer {
  if (auth.kind === 'headers') {
    const headers = auth.headers(settings);
    return { headers: async () => headers, refused: () => {}, canRenew: () => false };
  }
  const held = ({ token, lifeMs }: Token): Held => ({
    headers: auth.headers(token, settings),
    renewAtMs: deps.clock.nowMs() + lifeMs - Math.min(TOKEN_MARGIN_MS, lifeMs / 2),
  });
  const usual = keepToken(deps.clock, async () =>
    held(
      auth.kind === 'session'
        ? await openSession(auth, settings, deps.transport)
        : await fetchToken(auth, settings, deps.transport),
    ),
  );
  const narrow = keepToken(deps.clock, async () => {
    const exchange = auth.kind === 'session' ? null : (auth.restricted?.(settings) ?? null);
    const headers = await usual.headers();
    return exchange === null
      ? { headers, renewAtMs: 0 }
      : held(await exchangeToken(exchange.endpoint, exchange.json, headers, deps.transport));
  });
  return {
    headers: (restricted) => (restricted ? narrow : usual).headers(),
    refused: (headers) => {
      usual.drop(headers);
      narrow.drop(headers);
    },
    canRenew: (status) => (auth.refusedWith ?? [401]).includes(status),
  };
}

/** One kind of token, renewed by one request at a time. */
function keepToken(
  clock: Clock,
  renew: () => Promise<Held>,
): { readonly headers: () => Promise<Headers>; readonly drop: (headers: Headers) => void } {
  let held: Held | null = null;
  let underWay: Promise<Held> | null = null;
  return {
    headers: async () => {
      if (held !== null && clock.nowMs() < held.renewAtMs) return held.headers;
      underWay ??= renew().finally(() => {
        underWay = null;
      });
      held = await underWay;
      return held.headers;
    },
    drop: (headers) => {
      if (held?.headers === headers) held = null;
    },
  };
}

interface Token {
  readonly token: string;
  readonly lifeMs: number;
}

async function fetchToken<S>(auth: TokenAuth<S>, settings: S, transport: Transport): Promise<Token> {
  const contentType = { 'content-type': 'application/x-www-form-urlencoded' };
  const form = new URLSearchParams({ ...auth.form(settings) }).toString();
  const answer = await post(auth.endpoint(settings), contentType, form, transport);
  const body = readToken(tokenAnswer, answer);
  return { token: body.access_token, lifeMs: body.expires_in * 1000 };
}

async function openSession<S>(auth: SessionAuth<S>, settings: S, transport: Transport): Promise<Token> {
  const login = JSON.stringify(auth.login(settings));
  const answer = await post(auth.endpoint(settings), { 'content-type': 'application/json' }, login, transport);
  return { token: readToken(auth.key, answer), lifeMs: auth.lifeMs };
}

async function exchangeToken(endpoint: string, json: unknown, headers: Headers, transport: Transport): Promise<Token> {
  const contentType = { 'content-type': 'application/json' };
  const answer = await post(endpoint, { ...contentType, ...headers }, JSON.stringify(json), transport);
  const body = readToken(exchangeAnswer, answer);
  return { token: body.restrictedDataToken, lifeMs: body.expiresIn * 1000 };
}

// oxlint-disable-next-line max-params -- the parts of one POST
async function post(endpoint: string, headers: Headers, body: string, transport: Transport): Promise<HttpAnswer> {
  // Not bound to one caller's deadline: others may wait for the same token.
  using limit = limitCall(new AbortController().signal, TOKEN_TIMEOUT_MS);
  const url = new URL(endpoint);
  const all = { accept: 'application/json', ...headers };
  return await transport.send({ url, method: 'POST', headers: all, body, signal: limit.signal });
}

function readToken<B>(schema: z.ZodType<B>, answer: HttpAnswer): B {
  if (answer.status !== 200) {
    throw upstreamError('UPSTREAM_UNAVAILABLE', {
      message: `The token endpoint answered ${answer.status}. Check the system's credentials.`,
      // Wrong credentials will be wrong the second time too.
      facts: { refused: answer.status < 500 },
    });
  }
  const body = schema.safeParse(jsonOf(answer.text));
  if (body.success) return body.data;
  throw upstreamError('UPSTREAM_CONTRACT', { message: 'The token endpoint gave no token we can read.' });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
