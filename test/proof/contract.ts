import { erpTryton } from '#connectors/erp-tryton/connector.ts';
import type { ConnectorDefinition } from '#connectors/kit/definition.ts';
import { createSquareVendor } from '#sandbox/vendors/pos-square.ts';
import { buildWorld } from '#sandbox/world/build.ts';
import { conformCases } from '#test/support/conform-cases.ts';
import type { ConformFixtures } from '#test/support/conform-harness.ts';
import type { JudgedExchange } from '#test/support/contract-tally.ts';
import { contractsAvailable } from '#test/support/contracts.ts';
import type { Evidence, EvidenceRow, Reporter } from '#test/support/evidence.ts';
import { exerciseConnector } from '#test/support/exercise-connector.ts';
import { squareEventFindings } from '#test/support/square-events.ts';
import { type Stray, strayFrom } from '#test/support/stray-exchanges.ts';
import { trytonFixtures } from '#test/support/tryton/conform.ts';
import { startTryton, trytonOrSkip } from '#test/support/tryton/trytond.ts';

const EVENTS = 200;

export const contract: Evidence = {
  name: 'contract',
  summary:
    'every request of a connector and every answer to it is as its vendor says, by documents and clients not ours',
  sabotages: ['vendor-word'],
  inProcess: true,
  run: async (report) => {
    if (!contractsAvailable()) {
      report.progress("the vendors' contracts are not beside the checkout (../shared/specs)");
      return;
    }
    for (const { visit } of conformCases) {
      await visit(async (definition, open) => prove(report, definition, await open(), localStrays));
    }
    if (report.sabotage === null) {
      await events(report);
      await overTryton(report);
    }
  },
};

type StraysOf = (exchanges: readonly JudgedExchange[], fixtures: ConformFixtures) => Promise<readonly Stray[]>;

// oxlint-disable-next-line max-params -- a connector, what it stands before, and how its oracle is tried
async function prove<S>(
  report: Reporter,
  definition: ConnectorDefinition<S>,
  fixtures: ConformFixtures,
  straysOf: StraysOf,
): Promise<void> {
  const { id } = definition;
  const { bench, failures } = await exerciseConnector(definition, fixtures, report.short ? 60 : 1_000);
  const { exchanges, operations, outside } = bench.judged;
  const findings = [...bench.judged.findings, ...failures];
  const strays = await straysOf([...operations.values()], fixtures);
  const unnoticed = strays.filter((stray) => stray.findings.length === 0);
  tellFindings(report, id, findings);
  for (const { name } of unnoticed) report.progress(`${id}: ${name} was not noticed`);
  const oracles = new Set([...operations.values()].map(({ oracle }) => oracle.name));
  report.progress(`${id} by ${[...oracles].join(', ')}: ${[...operations.keys()].join(', ')}`);
  const tell = teller(report, id);
  tell('requests and answers judged', 2 * exchanges, { ok: exchanges > 0 });
  tell('operations covered', operations.size, { n: exchanges, ok: operations.size > 0 });
  tell('findings', findings.length, { n: 2 * exchanges, target: 0, ok: findings.length === 0 && exchanges > 0 });
  tell('exchanges led astray and found', strays.length - unnoticed.length, {
    n: strays.length,
    target: strays.length,
    ok: unnoticed.length === 0 && strays.length > 0,
  });
  for (const [reason, calls] of outside) tell(`calls nobody can judge: ${reason}`, calls, { ok: true });
}

/** Each kind of finding once: rows of one list have the same. */
function tellFindings(report: Reporter, where: string, findings: readonly string[]): void {
  const kinds = new Set(findings.map((finding) => finding.replaceAll(/\/\d+(?=[/ ])/g, '/N')));
  for (const kind of [...kinds].slice(0, 12)) report.progress(`${where}: ${kind}`);
}

function teller(report: Reporter, id: string) {
  return (metric: string, value: number, row: Pick<EvidenceRow, 'ok'> & Partial<EvidenceRow>): void => {
    report.row({
      name: 'contract',
      metric: `${id}: ${metric}`,
      value,
      unit: '',
      n: value,
      median: null,
      spread: null,
      ...row,
    });
  };
}

const localStrays: StraysOf = async (exchanges) => (await Promise.all(exchanges.map((each) => strayFrom(each)))).flat();

/** Tryton is asked itself, by a method, a field and a value that it does not know. */
const askedStrays: StraysOf = async (exchanges, { answer }) => {
  const [read] = exchanges.filter(({ body }) => body.includes('.search_read"'));
  if (read === undefined) return [];
  const call = JSON.parse(read.body) as { method: string; params: readonly unknown[] };
  const strayed = {
    'another method': { ...call, method: 'model.product.product.no_such_method' },
    'another field': { ...call, params: call.params.with(4, ['no_such_field']) },
    'another type': { ...call, params: call.params.with(0, 'no list') },
  };
  const ask = async ([name, body]: [string, object]): Promise<Stray> => {
    const { request } = read;
    const asked = new Request(request.url, {
      method: 'POST',
      headers: request.headers ?? {},
      body: JSON.stringify(body),
    });
    const { status } = await answer(asked);
    return { name, findings: read.oracle.checkResponse(request, status, undefined) };
  };
  return Promise.all(Object.entries(strayed).map(ask));
};

async function overTryton(report: Reporter): Promise<void> {
  if (!(await trytonOrSkip())) {
    report.progress('Tryton is not installed (as root: test/support/tryton/install.sh)');
    return;
  }
  // The real system is the oracle: what it takes and answers is its contract.
  await using tryton = await startTryton();
  await prove(report, erpTryton, trytonFixtures(tryton), askedStrays);
}

/** What the sandbox tells as Square, by the types of Square's own client. */
async function events(report: Reporter): Promise<void> {
  report.progress('deliveries of HubSpot and Business Central: neither client nor stored contract has a type of them');
  const world = await buildWorld({ seed: report.seed, scale: 'small', builtAt: '2026-11-20T00:00:00.000Z' });
  const vendor = createSquareVendor();
  const context = { world, nowMs: Date.now(), base: 'https://graph.example' };
  const changes = [
    ...[...world.stock.values()].map((stock) => ({ kind: 'stock', stock }) as const),
    ...world.orders.flatMap((order) => [true, false].map((isNew) => ({ kind: 'order', order, isNew }) as const)),
  ];
  const messages = changes.flatMap((change) => vendor.webhooks?.(change, context) ?? []);
  const perType = Map.groupBy(messages, ({ body }) => String((JSON.parse(body) as { type: unknown }).type));
  const told = [...perType.values()].flatMap((same) => same.slice(0, EVENTS));
  const findings = told.flatMap(({ body }) => squareEventFindings(JSON.parse(body)));
  tellFindings(report, 'an event of Square', findings);
  const tell = teller(report, 'pos-square');
  tell('kinds of events judged', perType.size, { n: told.length, target: 3, ok: perType.size === 3 });
  tell('findings in events', findings.length, { n: told.length, target: 0, ok: findings.length === 0 });
  const strays = told.map(({ body }) => squareEventFindings({ ...(JSON.parse(body) as object), no_such_part: 1 }));
  const found = strays.filter((each) => each.length > 0).length;
  tell('events led astray and found', found, { n: told.length, target: told.length, ok: found === told.length });
}
