import { readSupergraph } from '#gateway/supergraph.ts';
import { SCOPES } from '#schema/model/request.ts';
import { holdDuring } from '#test/support/event-loop.ts';
import { type Evidence, type Reporter, summarize } from '#test/support/evidence.ts';
import { aSilentSubgraph, createFixtureGateway, startTestIssuer, type TestIssuer } from '#test/support/gateway.ts';
import { HOSTILE_REQUESTS, type HostileRequest, largestDocument } from '#test/support/hostile-documents.ts';
import {
  composeInterfaceBomb,
  composeKeyBomb,
  composePlannerBomb,
  composeRequiresBomb,
  INTERFACE_BOMBS,
  KEY_BOMBS,
  PLANNER_BOMBS,
  REQUIRES_BOMBS,
} from '#test/support/hostile-supergraphs.ts';

/** Longest time a request may keep the event loop. */
const LIMIT_MS = 50;
const REPEATS = 5;
/** The short form asks again where it took too long: once may be the machine, three times is the document. */
const SHORT_TRIES = 3;
/** The first requests of a process run code that is not compiled yet. */
const WARM_UP = '{"query":"{ __schema { types { name } } }"}';

const HARD_TO_PLAN = [
  { metric: '14 fields shared by 5 subgraphs', compose: composePlannerBomb, requests: PLANNER_BOMBS },
  { metric: 'an interface of 8 types of 2 subgraphs', compose: composeInterfaceBomb, requests: INTERFACE_BOMBS },
  { metric: 'keys that lead from one of 6 subgraphs to the next', compose: composeKeyBomb, requests: KEY_BOMBS },
  { metric: 'fields that need each other, of 8 subgraphs', compose: composeRequiresBomb, requests: REQUIRES_BOMBS },
] as const;

export const hostileDocuments: Evidence = {
  name: 'hostile-documents',
  summary: `no document, nor its variables, keeps the event loop longer than ${LIMIT_MS} ms of processor time`,
  run: async (report) => {
    await using issuer = await startTestIssuer();
    const ours = readSupergraph();
    const largest = largestDocument(ours);
    report.progress(`the largest document over our supergraph has ${largest.fields} fields`);
    await measure(report, issuer, { metric: 'our supergraph', sdl: ours, requests: [...HOSTILE_REQUESTS, largest] });
    for (const hard of HARD_TO_PLAN)
      // oxlint-disable-next-line no-await-in-loop -- one at a time
      await measure(report, issuer, { ...hard, sdl: hard.compose() });
  },
};

interface Measured {
  readonly metric: string;
  readonly sdl: string;
  readonly requests: readonly HostileRequest[];
}

async function measure(report: Reporter, issuer: TestIssuer, { metric, sdl, requests }: Measured): Promise<void> {
  const names = [...sdl.matchAll(/@join__graph\(name: "([^"]+)"/g)].map(([, name]) => name ?? '');
  await using gateway = await createFixtureGateway({
    issuer,
    supergraphSdl: sdl,
    graph: { subgraphs: names.map((name) => aSilentSubgraph(name)) },
  });
  const token = await issuer.issue({
    role: 'service-job',
    scope: SCOPES.join(' '),
    purposes: ['LEGAL_OBLIGATION'],
    exp: Math.floor(Date.now() / 1_000) + 900,
  });
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'mortar-purpose': 'LEGAL_OBLIGATION',
  };
  const post = async (payload: string) => gateway.app.inject({ method: 'POST', url: '/graphql', headers, payload });
  for (let count = 0; count < 20; count += 1) await post(WARM_UP);
  const holds: number[] = [];
  let wrong = 0;
  for (const request of requests) {
    const own: number[] = [];
    let code: unknown = null;
    const isDone = (): boolean =>
      report.short ? own.length === SHORT_TRIES || Math.min(...own) <= LIMIT_MS : own.length === REPEATS;
    for (let repeat = 0; !isDone(); repeat += 1) {
      // Each is new to every cache.
      const body = request.body.replace('"query":"', `"query":"#${repeat}\\n`);
      const { cpuMs } = await holdDuring(async () => {
        const answer = await post(body);
        code = answer.json<{ errors?: { extensions: { code: string } }[] }>().errors?.[0]?.extensions.code ?? null;
      });
      own.push(cpuMs);
    }
    if (code !== request.code) wrong += 1;
    const counted = report.short ? [Math.min(...own)] : own;
    holds.push(...counted);
    report.progress(`${request.name}: ${Math.max(...counted).toFixed(0)} ms, ${String(code)}`);
  }
  const { median, spread } = summarize(holds);
  const longest = Math.max(...holds);
  report.row({
    name: 'hostile-documents',
    metric: `longest hold, ${metric}`,
    value: longest,
    unit: 'ms of processor time',
    n: holds.length,
    median,
    spread,
    target: LIMIT_MS,
    ok: longest <= LIMIT_MS,
  });
  report.row({
    name: 'hostile-documents',
    metric: `answered otherwise than by their code, ${metric}`,
    value: wrong,
    unit: 'documents',
    n: requests.length,
    median: null,
    spread: null,
    target: 0,
    ok: wrong === 0,
  });
}
