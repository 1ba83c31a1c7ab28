import type { ServerResponse } from 'node:http';

import type { TokenAuth } from '#connectors/kit/definition.ts';
import { connect, echo, scope } from '#test/support/kit-system.ts';
import type { Evidence, Reporter } from '#test/support/evidence.ts';
import { createRandom } from '#test/support/random.ts';
import { sendJson, startUpstream } from '#test/support/scripted-upstream.ts';

/** The most requests a failing system may see for each read it was asked for. */
const MOST_RATIO = 1.1;
/** Retries the kit always has in hand, so that a quiet system's single failure is mended too. */
const RESERVE = 3;
const AT_ONCE = 10;

interface Failure {
  readonly name: string;
  /** The system wants a token, which a login gives. @default false */
  readonly wantsToken?: boolean;
  /** Whether the answer to this request fails; `random` is the proof's own. */
  readonly strikes: (random: () => number) => boolean;
  readonly fail: (response: ServerResponse) => void;
}

const FAILURES: readonly Failure[] = [
  { name: 'every answer is a 503', strikes: () => true, fail: (response) => sendJson(response, {}, 503) },
  { name: 'every connection is cut', strikes: () => true, fail: (response) => response.destroy() },
  {
    name: 'every answer is half a body',
    strikes: () => true,
    fail: (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' }).write('{"rows": [');
      response.destroy();
    },
  },
  // A breaker does not help here: a system that asks to slow down is alive.
  {
    name: 'every answer is a 429 with Retry-After: 0',
    strikes: () => true,
    fail: (response) => sendJson(response, {}, 429, { 'retry-after': '0' }),
  },
  {
    name: 'every token is refused (logins counted)',
    wantsToken: true,
    strikes: () => true,
    fail: (response) => sendJson(response, {}, 401),
  },
  { name: 'no answer ever comes', strikes: () => true, fail: () => {} },
  // Too few failures for the breaker to open: only the retry budget holds the requests down.
  {
    name: 'one answer in four is a 503',
    strikes: (random) => random() < 0.25,
    fail: (response) => sendJson(response, {}, 503),
  },
];

export const amplification: Evidence = {
  name: 'amplification',
  summary: 'a failing system sees at most 1.1 requests for each read it is asked for',
  sabotages: ['retry-budget'],
  inProcess: true,
  run: async (report) => {
    for (const failure of FAILURES) await count(failure, report);
  },
};

const LOGIN = '/token';
const tokenAuth = (endpoint: string): TokenAuth<null> => ({
  kind: 'token',
  endpoint: () => endpoint,
  form: () => ({ grant_type: 'client_credentials' }),
  headers: (token) => ({ authorization: `Bearer ${token}` }),
});

async function count(failure: Failure, report: Reporter): Promise<void> {
  const random = createRandom(report.seed);
  const reads = report.short ? 600 : 5_000;
  let answered = 0;
  await using upstream = await startUpstream(({ url, body }, response, number) => {
    if (url === LOGIN) sendJson(response, { access_token: `token-${number}`, expires_in: 3_600 });
    else if (failure.strikes(random)) failure.fail(response);
    else sendJson(response, echo(body));
  });
  const auth = failure.wantsToken === true ? { definition: { auth: tokenAuth(upstream.url + LOGIN) } } : {};
  const options = { concurrency: AT_ONCE, timeoutMs: 200 };
  await using system = connect(upstream.url, { ...auth, options });
  for (let read = 0; read < reads; read += AT_ONCE) {
    const slots = await Promise.all(
      Array.from({ length: AT_ONCE }, async (_, index) => system.read([`${read + index}`], scope(5_000))),
    );
    answered += slots.filter(([slot]) => !(slot instanceof Error)).length;
  }
  const ratio = upstream.seen.length / reads;
  const most = MOST_RATIO + RESERVE / reads;
  report.progress(`${failure.name}: ${upstream.seen.length} requests for ${reads} reads, ${answered} answered`);
  report.row({
    name: 'amplification',
    metric: failure.name,
    value: ratio,
    unit: 'requests/read',
    n: reads,
    median: null,
    spread: null,
    target: most,
    // A system that is never asked proves nothing.
    ok: ratio <= most && upstream.seen.length >= 5,
  });
}
