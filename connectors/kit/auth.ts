import { z } from 'zod';

import type { Clock } from '#platform/clock.ts';
import { MortarError } from '#platform/errors.ts';

import { limitCall } from './deadline.ts';
import type { Auth, SessionAuth, TokenAuth } from './definition.ts';
import { upstreamError } from './failure.ts';
import { classify, parseAnswer } from './response.ts';
import type { HttpAnswer, Transport } from './transport.ts';

const TOKEN_TIMEOUT_MS = 3_000;
/** A token is renewed this long before the source says it ends. */
const TOKEN_MARGIN_MS = 60_000;
/** Refused tokens are renewed, and refused credentials tried, no sooner than this after the last time. */
const REFUSED_GAP_MS = 10_000;

const tokenAnswer = z.object({
  access_token: z.string().min(1).max(8_192),
  expires_in: z.coerce.number().positive().default(3_600),
});

const exchangeAnswer = z.object({
  restrictedDataToken: z.string().min(1).max(8_192),
  expiresIn: z.coerce.number().positive(),
});

type Headers = Readonly<Record<string, string>>;
interface Deps {
  readonly clock: Clock;
  readonly transport: Transport;
}

export interface Authorizer {
  /**
   * The headers to send; fetches a token when there is none. `restricted`: with the narrower token some calls need.
   * @throws {MortarError} UPSTREAM_UNAVAILABLE, UPSTREAM_CONTRACT
   */
  readonly headers: (restricted: boolean) => Promise<Headers>;
  /**
   * Whether a refusal may be cured by asking again with the headers of then: a newer token is there, or will be. Not within
   * ten seconds of a renewal that cured nothing: an account that is asked for tokens without end is locked.
   */
  readonly renews: (refusal: Refusal) => boolean;
}

interface Refusal {
  readonly status: number;
  /** What was refused. */
  readonly headers: Headers;
  readonly restricted: boolean;
}

interface Held {
  readonly headers: Headers;
  readonly renewAtMs: number;
}

/** Authorizes the calls of one system: at most one request for a token is under way, whoever waits for it. */
export function createAuthorizer<S>(auth: Auth<S>, settings: S, deps: Deps): Authorizer {
  if (auth.kind === 'headers') {
    const headers = auth.headers(settings);
    return { headers: async () => headers, renews: () => false };
  }
  const held = ({ token, lifeMs }: Token): Held => ({
    headers: auth.headers(token, settings),
    renewAtMs: deps.clock.nowMs() + lifeMs - Math.min(TOKEN_MARGIN_MS, lifeMs / 2),
  });
  const usual = keepToken(deps.clock, async () =>
    held(auth.kind === 'session' ? await openSession(auth, settings, deps) : await fetchToken(auth, settings, deps)),
  );
  const exchange = auth.kind === 'session' ? null : (auth.restricted?.(settings) ?? null);
  const narrow =
    exchange &&
    keepToken(deps.clock, async () => {
      const headers = await usual.headers();
      try {
        return held(await exchangeToken(exchange, headers, deps));
      } catch (error) {
        if (isRefused(error)) usual.renews(headers);
        throw error;
      }
    });
  const tokenOf = (restricted: boolean): KeptToken => (restricted ? (narrow ?? usual) : usual);
  return {
    headers: (restricted) => tokenOf(restricted).headers(),
    renews: ({ status, headers, restricted }) =>
      (auth.refusedWith ?? [401]).includes(status) && tokenOf(restricted).renews(headers),
  };
}

interface KeptToken {
  readonly headers: () => Promise<Headers>;
  readonly renews: (refused: Headers) => boolean;
}

/** One kind of token, renewed by one request at a time. */
function keepToken(clock: Clock, renew: () => Promise<Held>): KeptToken {
  let held: (Held & { isRefused: boolean }) | null = null;
  let underWay: Promise<Held> | null = null;
  let droppedAtMs = Number.NEGATIVE_INFINITY;
  let refusal: { readonly error: unknown; readonly untilMs: number } | null = null;
  const renewNow = async (): Promise<Held> => {
    try {
      return await renew();
    } catch (error) {
      if (isRefused(error)) refusal = { error, untilMs: clock.nowMs() + REFUSED_GAP_MS };
      throw error;
    } finally {
      underWay = null;
    }
  };
  return {
    headers: async () => {
      if (held !== null && clock.nowMs() < held.renewAtMs) return held.headers;
      if (refusal !== null && clock.nowMs() < refusal.untilMs) throw refusal.error;
      underWay ??= renewNow();
      const renewed = await underWay;
      if (held?.headers !== renewed.headers) held = { ...renewed, isRefused: false };
      return renewed.headers;
    },
    renews: (refused) => {
      if (held === null) return true;
      if (held.headers !== refused) return !held.isRefused;
      held.isRefused = true;
      if (clock.nowMs() - droppedAtMs < REFUSED_GAP_MS) return false;
      droppedAtMs = clock.nowMs();
      held = null;
      return true;
    },
  };
}

/** Wrong credentials will be wrong the second time too, and so will an answer without a token (Tryton refuses with null). */
function isRefused(error: unknown): boolean {
  return error instanceof MortarError && (error.facts['refused'] === true || error.code === 'UPSTREAM_CONTRACT');
}

interface Token {
  readonly token: string;
  readonly lifeMs: number;
}

async function fetchToken<S>(auth: TokenAuth<S>, settings: S, deps: Deps): Promise<Token> {
  const contentType = { 'content-type': 'application/x-www-form-urlencoded' };
  const form = new URLSearchParams({ ...auth.form(settings) }).toString();
  const answer = await post(auth.endpoint(settings), contentType, form, deps);
  const body = readToken(tokenAnswer, answer);
  return { token: body.access_token, lifeMs: body.expires_in * 1000 };
}

async function openSession<S>(auth: SessionAuth<S>, settings: S, deps: Deps): Promise<Token> {
  const login = JSON.stringify(auth.login(settings));
  const answer = await post(auth.endpoint(settings), { 'content-type': 'application/json' }, login, deps);
  return { token: readToken(auth.key, answer), lifeMs: auth.lifeMs };
}

async function exchangeToken(
  { endpoint, json }: { readonly endpoint: string; readonly json: unknown },
  headers: Headers,
  deps: Deps,
): Promise<Token> {
  const contentType = { 'content-type': 'application/json' };
  const answer = await post(endpoint, { ...contentType, ...headers }, JSON.stringify(json), deps);
  const body = readToken(exchangeAnswer, answer);
  return { token: body.restrictedDataToken, lifeMs: body.expiresIn * 1000 };
}

// oxlint-disable-next-line max-params -- the parts of one POST
async function post(endpoint: string, headers: Headers, body: string, deps: Deps): Promise<HttpAnswer> {
  // Not bound to one caller's deadline: others may wait for the same token.
  using limit = limitCall(new AbortController().signal, TOKEN_TIMEOUT_MS);
  const url = new URL(endpoint);
  const all = { accept: 'application/json', ...headers };
  const answer = await deps.transport.send({ url, method: 'POST', headers: all, body, signal: limit.signal });
  const asked = [429, 503].includes(answer.status) ? classify(parseAnswer(answer), deps.clock.nowMs()) : null;
  if (asked !== null) throw asked;
  return answer;
}

function readToken<B>(schema: z.ZodType<B>, answer: HttpAnswer): B {
  if (answer.status !== 200) {
    throw upstreamError('UPSTREAM_UNAVAILABLE', {
      message: `The token endpoint answered ${answer.status}. Check the system's credentials.`,
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
