import { z } from 'zod';

import { type CommandReport, succeeded } from './report.ts';
import { formatTrace } from '#gateway/trace/format-trace.ts';
import { traceRecord } from '#gateway/trace/trace-record.ts';
import { MortarError } from '#platform/errors.ts';

const TIMEOUT_MS = 5_000;
const found = z.object({ requests: z.array(traceRecord).min(1) });
const refused = z.object({ errors: z.array(z.object({ message: z.string() })).min(1) });

/** How a person gets a token, for help and errors. */
const TOKEN_HINT =
  'a token with the scope systems:read from your issuer; in the sandbox: MORTAR_TOKEN=$(npm run -s mortar -- token privacy-officer)';

export interface TraceOptions {
  readonly requestId: string;
  /** The gateway. */
  readonly url: string;
  readonly token: string | undefined;
  readonly json: boolean;
}

/**
 * What a running gateway remembers of a request.
 * @throws {MortarError} with a message for the person at the terminal
 */
export async function runTrace({ requestId, url, token, json }: TraceOptions): Promise<CommandReport> {
  const base = URL.parse(url);
  if (base === null) throw new MortarError('BAD_USER_INPUT', { message: `--url ${url} is not a URL` });
  if (token === undefined || token.trim() === '')
    throw new MortarError('UNAUTHENTICATED', {
      message: `a trace needs a token (MORTAR_TOKEN or --token): ${TOKEN_HINT}`,
    });
  const { status, body } = await ask(new URL(`/trace/${encodeURIComponent(requestId)}`, base), token.trim());
  if (status !== 200) throw explain(status, body);
  const { requests } = found.parse(body);
  if (json) return succeeded(JSON.stringify({ requests }, null, 2));
  const lines = requests.flatMap((record) => ['', ...formatTrace(record)]).slice(1);
  if (requests.length === 1) return succeeded(...lines);
  return succeeded(
    `${requests.length} requests carried this id, newest first; callers choose ids, and may choose the same.`,
    '',
    ...lines,
  );
}

async function ask(url: URL, token: string): Promise<{ readonly status: number; readonly body: unknown }> {
  try {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${token}` },
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return { status: response.status, body: await response.json() };
  } catch (error) {
    throw new MortarError('OVERLOADED', {
      message: `no gateway answers at ${url.origin}; name another with --url`,
      cause: error,
    });
  }
}

function explain(status: number, body: unknown): MortarError {
  const parsed = refused.safeParse(body);
  const told = parsed.data?.errors[0]?.message ?? `The gateway answered with status ${status}.`;
  const hint = status === 401 || status === 403 ? ` Get ${TOKEN_HINT}` : '';
  return new MortarError('BAD_USER_INPUT', { message: `${told}${hint}` });
}
