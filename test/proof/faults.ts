import { isDeepStrictEqual } from 'node:util';

import type { Evidence, Reporter } from '#test/support/evidence.ts';
import { type Fault, FAULTS, LEAK } from '#test/support/federation/faults.ts';
import { sendJson, serveSubgraph, type SubgraphCall } from '#test/support/federation/http-subgraph.ts';
import {
  aFixtureBehavior,
  type Answer,
  createFixtureGateway,
  createFixtureSubgraphs,
  startTestIssuer,
  type TestIssuer,
} from '#test/support/gateway.ts';
import { createRemoteSources } from '#gateway/executor/remote/remote-source.ts';
import { systemClock } from '#platform/clock.ts';

const FETCH_MS = 1_000;
const REQUEST_MS = 4_000;
const MODES_ASKED_FOR = 16;

const DOCUMENT = '{ customers { nodes { id name points } } product(sku: "a") { title } }';

/** The other subgraph's part, and what of the broken one was asked in another call. */
const RIGHT = {
  customers: { nodes: ['1', '2', '3'].map((id) => ({ id, name: `name-${id}`, points: null })) },
  product: { title: 'title-a' },
};

/** Which of the subgraph's two fetches goes wrong. */
type Where = 'entities' | 'root';
const rightFor = (where: Where): unknown =>
  where === 'entities'
    ? RIGHT
    : {
        customers: { nodes: RIGHT.customers.nodes.map((row, index) => ({ ...row, points: index })) },
        product: null,
      };

/** `faults`: one remote subgraph goes wrong in every way we could think of, one after the other, behind the whole gateway. */
export const faults: Evidence = {
  name: 'faults',
  summary:
    'a remote subgraph goes wrong: the rest of the answer is right, errors stand at client paths with the name of the service, within the deadline, and nothing leaks',
  sabotages: ['entity-count', 'untold-answer'],
  inProcess: true,
  run: async (report) => {
    const rounds = report.short ? 1 : 20;
    const modes: readonly (Fault | null)[] = [...FAULTS, null];
    const issuer = await startTestIssuer();
    const found: Finding[] = [];
    for (const fault of modes) {
      for (const where of placesFor(fault)) {
        const own = await judge({ fault, where }, issuer, rounds);
        found.push(...own);
        const wrong = own.filter(({ data, errors, leaks }) => !data || !errors || leaks);
        const told = wrong.length === 0 ? 'right' : (wrong[0]?.text ?? '');
        report.progress(`${fault?.name ?? 'nobody listens'} (${where}): ${told}`);
      }
    }
    await issuer.close();
    tell(found, modes.length, report);
  },
};

interface Finding {
  /** The answer's data is the right part. */
  readonly data: boolean;
  /** Its errors stand where they belong, named. */
  readonly errors: boolean;
  /** Something of the subgraph's answer or address is in the answer or the log. */
  readonly leaks: boolean;
  readonly elapsedMs: number;
  readonly text: string;
}

interface Trial {
  readonly fault: Fault | null;
  readonly where: Where;
}

function placesFor(fault: Fault | null): readonly Where[] {
  return fault === null || fault.ofEntities === true ? ['entities'] : ['entities', 'root'];
}

async function judge({ fault, where }: Trial, issuer: TestIssuer, rounds: number): Promise<readonly Finding[]> {
  const logs: string[] = [];
  await using shop = await serveSubgraph((call) => answer(call, { fault, where }));
  // Nobody listens there any more.
  if (fault === null) await shop[Symbol.asyncDispose]();
  const logger = { warn: (fields: object, message: string) => void logs.push(`${message} ${JSON.stringify(fields)}`) };
  const remote = createRemoteSources({
    clock: systemClock,
    logger,
    sign: null,
    subgraphs: [{ name: 'shop', url: shop.url, trust: 'none' }],
  });
  const people = createFixtureSubgraphs(aFixtureBehavior()).filter(({ name }) => name === 'people');
  const gateway = await createFixtureGateway({
    issuer,
    limits: { fetchMs: FETCH_MS, requestMs: { query: REQUEST_MS, mutation: REQUEST_MS } },
    graph: { subgraphs: people, findRemote: remote.find },
  });
  const findings: Finding[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const startedAt = performance.now();
    const { text, body } = await gateway.ask(DOCUMENT);
    const elapsedMs = performance.now() - startedAt;
    const told = [text, ...logs.splice(0), ...gateway.logged.splice(0)].join('\n');
    const secrets = [LEAK, '<html', new URL(shop.url).port, 'ECONNREFUSED'];
    findings.push({
      data: isDeepStrictEqual(body.data, fault === null ? { ...RIGHT, product: null } : rightFor(where)),
      errors: isDeepStrictEqual(body.errors?.map(placeOf), placesOf({ fault, where })),
      leaks: secrets.some((secret) => told.includes(secret)),
      elapsedMs,
      text: told.slice(0, 2_000),
    });
  }
  await remote.close();
  await gateway.close();
  return findings;
}

/** The fault for one of the two fetches; the other is answered rightly. */
function answer(call: SubgraphCall, { fault, where }: Trial): void {
  const rows = call.variables['representations'];
  const entities = Array.isArray(rows) ? rows.map((_row, index) => ({ points: index })) : null;
  if ((entities === null) === (where === 'root')) fault?.answer(call, entities ?? []);
  else sendJson(call, { data: entities === null ? { product: { title: 'title-a' } } : { _entities: entities } });
}

const placeOf = ({ path = [], extensions }: NonNullable<Answer['errors']>[number]): string =>
  `${path.join('.')} ${String(extensions['code'])} ${String(extensions['serviceName'])} x${String(extensions['occurrences'])}`;

function placesOf({ fault, where }: Trial): readonly string[] {
  const code = fault?.codes?.[0] ?? 'SUBGRAPH_UNAVAILABLE';
  if (where === 'root') return [`product ${code} shop x1`];
  const points = `customers.nodes.0.points ${code} shop x3`;
  return fault === null ? ['product SUBGRAPH_UNAVAILABLE shop x1', points] : [points];
}

function tell(found: readonly Finding[], modes: number, report: Reporter): void {
  const row = { name: 'faults', n: found.length, median: null, spread: null };
  const count = (metric: string, value: number): void =>
    report.row({ ...row, metric, value, unit: 'answers', target: 0, ok: value === 0 });
  report.row({
    ...row,
    metric: 'ways to go wrong',
    value: modes,
    unit: 'ways',
    target: MODES_ASKED_FOR,
    ok: modes >= MODES_ASKED_FOR,
  });
  count('wrong partial data', found.filter(({ data }) => !data).length);
  count('errors elsewhere or unnamed', found.filter(({ errors }) => !errors).length);
  count('leaks into answer or log', found.filter(({ leaks }) => leaks).length);
  const slowestMs = Math.max(...found.map(({ elapsedMs }) => elapsedMs));
  report.row({
    ...row,
    metric: 'slowest answer',
    value: slowestMs,
    unit: 'ms',
    target: REQUEST_MS,
    ok: slowestMs < REQUEST_MS,
  });
}
