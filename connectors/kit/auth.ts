import { z } from 'zod';

import type { Clock } from '#platform/clock.ts';

import { limitCall } from './deadline.ts';
import type { Auth } from './definition.ts';
import { upstreamError } from './failure.ts';
import type { Transport } from './transport.ts';

const TOKEN_TIMEOUT_MS = 3_000;
/** A token is renewed this long before the source says it ends. */
const TOKEN_MARGIN_MS = 60_000;

const tokenAnswer = z.object({
  access_token: z.string().min(1).max(8_192),
  expires_in: z.coerce.number().positive().default(3_600),
});

export interface Authorizer {
  /** The headers to send; fetches a token when there is none. @throws {MortarError} UPSTREAM_UNAVAILABLE, UPSTREAM_CONTRACT */
  readonly headers: () => Promise<Readonly<Record<string, string>>>;
  /** Says that the system refused these headers; the next call gets a new token. Ignored when a newer one is already there. */
  readonly refused: (headers: Readonly<Record<string, string>>) => void;
  /** True when a refusal with this status can be cured by a new token. */
  readonly canRenew: (status: number) => boolean;
}

interface Held {
  readonly headers: Readonly<Record<string, string>>;
  readonly renewAtMs: number;
}

/** Authorizes the calls of one system: at most one token request is under way, whoever waits for it. */
export function createAuthorizer<S>(
  auth: Auth<S>,
  settings: S,
  deps: { clock: Clock; transport: Transport },
): Authorizer {
  if (auth.kind === 'headers') {
    const headers = auth.headers(settings);
    return { headers: async () => headers, refused: () => {}, canRenew: () => false };
  }
  let held: Held | null = null;
  let underWay: Promise<Held> | null = null;
  const renew = async (): Promise<Held> => {
    const { token, lifeMs } = await fetchToken(auth.endpoint(settings), auth.form(settings), deps.transport);
    const marginMs = Math.min(TOKEN_MARGIN_MS, lifeMs / 2);
    return { headers: auth.headers(token, settings), renewAtMs: deps.clock.nowMs() + lifeMs - marginMs };
  };
  return {
    headers: async () => {
      if (held !== null && deps.clock.nowMs() < held.renewAtMs) return held.headers;
      underWay ??= renew().finally(() => {
        underWay = null;
      });
      held = await underWay;
      return held.headers;
    },
    refused: (headers) => {
      if (held?.headers === headers) held = null;
    },
    canRenew: (status) => (auth.refusedWith ?? [401]).includes(status),
  };
}

async function fetchToken(
  endpoint: string,
  form: Readonly<Record<string, string>>,
  transport: Transport,
): Promise<{ token: string; lifeMs: number }> {
  // Not bound to one caller's deadline: others may wait for the same token.
  using limit = limitCall(new AbortController().signal, TOKEN_TIMEOUT_MS);
  const answer = await transport.send({
    url: new URL(endpoint),
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ ...form }).toString(),
    signal: limit.signal,
  });
  if (answer.status !== 200) {
    throw upstreamError('UPSTREAM_UNAVAILABLE', {
      message: `The token endpoint answered ${answer.status}. Check the system's credentials.`,
    });
  }
  const body = tokenAnswer.safeParse(jsonOf(answer.text));
  if (!body.success) {
    throw upstreamError('UPSTREAM_CONTRACT', { message: 'The token endpoint gave no token we can read.' });
  }
  return { token: body.data.access_token, lifeMs: body.data.expires_in * 1000 };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
