import { setTimeout as sleep } from 'node:timers/promises';

import { type FaultInput, SANDBOX_SYSTEMS } from '#sandbox/faults.ts';
import { loners } from '#test/support/customers.ts';
import { type Evidence, type Reporter, summarize } from '#test/support/evidence.ts';
import { deployProduct } from '#test/support/own-issuer.ts';
import type { Answer, Product } from '#test/support/product-client.ts';
import { compare } from './explained.ts';
import { sabotageArguments } from './sabotage.ts';

const FIGURE = 'value provenance { degraded stale }';
const QUERY = `query All($by: CustomerKey!) {
  products(first: 5) { nodes { sku title
    price(channel: "web") { value { amount } provenance { degraded stale } }
    inStore: price(channel: "store") { value { amount } provenance { degraded stale } }
    availability(channel: "web") { reason quantity { ${FIGURE} } }
    onAmazon: availability(channel: "amazon") { reason quantity { ${FIGURE} } }
    stock(first: 20) { nodes { location { id name } onHand { ${FIGURE} } committed { ${FIGURE} } } } } }
  customers(first: 10) { nodes { id name email phone addresses { lines } loyalty { tier } } }
  findCustomer(by: $by) { id name email phone addresses { lines } }
  orders(first: 10) { nodes { id state total { amount } lines { sku quantity } } }
  locations(first: 20) { nodes { id name kind } }
}`;
const SCOPES = 'catalog:read inventory:read customers:read orders:read';
/** A request may take 5 s; the rest is the way there and back on a busy machine. */
const DEADLINE_MS = 5_500;
const SLOW_MS = 8_000;
const RECOVERY_MS = 20_000;
/** Systems that are asked at request time: without them something must be missing or flagged. The others are fed. */
const LIVE = new Set(['wms', 'pos', 'crm']);

type System = (typeof SANDBOX_SYSTEMS)[number];

const FAULTS: readonly { readonly name: string; readonly of: (system: System) => FaultInput }[] = [
  { name: 'down', of: (system) => ({ system, fault: 'reset', value: 1 }) },
  { name: 'slow', of: (system) => ({ system, fault: 'latency', value: SLOW_MS }) },
  { name: 'garbage', of: (system) => ({ system, fault: 'garbage', value: 1 }) },
  { name: '429', of: (system) => ({ system, fault: 'rateLimit', value: 1 }) },
];

export const degraded: Evidence = {
  name: 'degraded',
  summary:
    'each system down, slow, sending garbage or 429: the rest of the answer is right, what is not is flagged, in time',
  sabotages: ['told-failures'],
  run: async (report) => {
    await using deployed = await deployProduct({
      seed: report.seed,
      nodeArguments: sabotageArguments(report.sabotage),
    });
    const token = await deployed.issuer.issue({
      sub: 'service',
      client_id: 'service',
      role: 'service-job',
      scope: SCOPES,
      purposes: ['LEGAL_OBLIGATION'],
      exp: Math.floor(Date.now() / 1000) + 900,
    });
    await prove(deployed.product, token, report);
  },
};

interface Case {
  readonly system: System;
  readonly fault: (typeof FAULTS)[number];
}

async function prove(product: Product, token: string, report: Reporter): Promise<void> {
  // Which customers come first in the list depends on which feed was first: one that the CRM knows is asked for by name.
  const externalId = await findInCrm(product);
  const variables = { by: { external: { system: 'crm', externalId } } };
  const ask = async (): Promise<Answer> => product.ask(QUERY, { token, purpose: 'LEGAL_OBLIGATION', variables });
  const whole = await ask();
  if (whole.errors.length > 0) throw new Error(`the whole answer has errors: ${whole.text.slice(0, 500)}`);
  const elapsed: number[] = [];
  const totals = { leaves: 0, explained: 0, silent: 0, unexplained: 0 };
  const cases = casesOf(report);
  for (const { system, fault } of cases) {
    await product.fault(fault.of(system));
    const answer = await ask();
    const { leaves, explained, unexplained } = compare(whole, answer, system);
    elapsed.push(answer.elapsedMs);
    totals.leaves += leaves;
    totals.explained += explained;
    totals.unexplained += unexplained.length;
    const flagged = explained > 0 || answer.errors.length > 0 || doubtsOf(answer) > doubtsOf(whole);
    if (LIVE.has(system) && !flagged) totals.silent += 1;
    const doubt = unexplained.length > 0 ? `; unexplained: ${unexplained.slice(0, 3).join(' ')}` : '';
    report.progress(
      `${system} ${fault.name}: ${answer.elapsedMs.toFixed(0)} ms, ${explained} of ${leaves} leaves told to be missing or old${doubt}`,
    );
    await product.reset();
    await recovered(ask, whole, system);
  }
  const { median, spread } = summarize(elapsed);
  const slowest = Math.max(...elapsed);
  const shared = { name: 'degraded', median: null, spread: null };
  report.row({
    ...shared,
    metric: 'leaves wrong or missing without a flag',
    value: totals.unexplained,
    unit: 'leaves',
    n: totals.leaves,
    target: 0,
    ok: totals.unexplained === 0,
  });
  report.row({
    ...shared,
    metric: 'failures nobody was told of',
    value: totals.silent,
    unit: 'cases',
    n: cases.length,
    target: 0,
    ok: totals.silent === 0,
  });
  report.row({
    ...shared,
    metric: 'leaves told to be missing or old',
    value: totals.explained,
    unit: 'leaves',
    n: totals.leaves,
    ok: totals.explained > 0,
  });
  report.row({
    name: 'degraded',
    metric: 'slowest answer',
    value: slowest,
    unit: 'ms',
    n: elapsed.length,
    median,
    spread,
    target: DEADLINE_MS,
    ok: slowest <= DEADLINE_MS,
  });
}

/** A buyer whose only record is in the CRM. */
async function findInCrm(product: Product): Promise<string> {
  const world = await product.world();
  const buyers = new Set(world.orders.map(({ profileIds }) => profileIds.crm));
  const found = loners(world, 'crm').find(({ externalId, email }) => email !== null && buyers.has(externalId));
  if (found === undefined) throw new Error('nobody has a record and an order in the CRM alone');
  return found.externalId;
}

/** All of them; the short form takes every system once or twice, with another fault each. */
function casesOf({ short, sabotage }: Reporter): readonly Case[] {
  const all = SANDBOX_SYSTEMS.flatMap((system) => FAULTS.map((fault): Case => ({ system, fault })));
  if (sabotage !== null) return all.filter(({ system, fault }) => system === 'pos' && fault.name === 'down');
  return short ? all.filter((_, index) => (index + Math.floor(index / FAULTS.length)) % FAULTS.length < 2) : all;
}

/** A system that failed rests for a moment: waits until the answer is whole again. */
async function recovered(ask: () => Promise<Answer>, whole: Answer, system: System): Promise<void> {
  let last = '';
  for (const until = Date.now() + RECOVERY_MS; Date.now() < until;) {
    const answer = await ask();
    const { explained, unexplained } = compare(whole, answer, system);
    if (answer.errors.length === 0 && doubtsOf(answer) === doubtsOf(whole) && explained + unexplained.length === 0)
      return;
    last = JSON.stringify({
      errors: answer.errors.slice(0, 2),
      provenance: answer.provenance.slice(0, 2),
      unexplained,
    });
    await sleep(200);
  }
  throw new Error(`${system} did not recover within ${RECOVERY_MS / 1000} s: ${last.slice(0, 1_000)}`);
}

/** Values the answer doubts; a count below zero is doubted even when all is well. */
function doubtsOf({ provenance }: Answer): number {
  return provenance.reduce((sum, { paths }) => sum + paths.length, 0);
}
