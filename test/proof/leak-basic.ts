import type { Evidence, Reporter } from '#test/support/evidence.ts';
import type { Product } from '#test/support/product-client.ts';
import { startProduct } from '#test/support/product.ts';
import { createCanaries } from './canaries.ts';
import { GOVERNED_FIELDS } from './consent-oracle.ts';
import { createJudge, visibleMembers } from './leak-judge.ts';
import { type Asker, PATHS } from './leak-paths.ts';
import { sabotageArguments } from './sabotage.ts';
import { readPeople, type TruthCustomer } from './world-people.ts';

const PEOPLE = ['customers:read', 'orders:read'];
/** Development clients as the table of the graph's design has them: role, scopes that matter here, purposes. */
const CLIENTS: readonly {
  readonly client: string;
  readonly role: string;
  readonly scopes: readonly string[];
  readonly purposes: readonly string[];
}[] = [
  { client: 'storefront', role: 'service-job', scopes: [], purposes: ['ORDER_FULFILLMENT'] },
  { client: 'customer-app', role: 'customer', scopes: PEOPLE, purposes: ['SERVICE_SUPPORT'] },
  {
    client: 'associate',
    role: 'associate',
    scopes: PEOPLE,
    purposes: ['ORDER_FULFILLMENT', 'SERVICE_SUPPORT', 'PERSONALIZATION'],
  },
  {
    client: 'partner-marketplace',
    role: 'partner',
    scopes: PEOPLE,
    purposes: ['THIRD_PARTY_SHARING', 'ORDER_FULFILLMENT'],
  },
  { client: 'analyst', role: 'analyst', scopes: PEOPLE, purposes: ['ANALYTICS'] },
  { client: 'marketer', role: 'marketer', scopes: ['customers:read'], purposes: ['MARKETING', 'PERSONALIZATION'] },
  { client: 'privacy-officer', role: 'privacy-officer', scopes: PEOPLE, purposes: ['LEGAL_OBLIGATION'] },
];
const MEDIA = [null, 'EMAIL', 'SMS', 'POST'];

export const leakBasic: Evidence = {
  name: 'leak-basic',
  summary:
    'every development client x every governed field x customers, through seven paths, against the world’s truth',
  sabotages: ['consent-decision', 'static-cell', 'medium', 'linked-set', 'self-proof'],
  run: async (report) => {
    await using product = await startProduct({
      seed: report.seed,
      environment: { LOG_LEVEL: 'debug' },
      nodeArguments: sabotageArguments(report.sabotage),
    });
    await prove(product, report);
  },
};

async function prove(product: Product, report: Reporter): Promise<void> {
  const world = await product.world();
  const people = await readPeople(product, world);
  const customers = choose(people.customers, report.sabotage !== null ? 24 : report.short ? 40 : 200);
  const everybody = new Map(people.customers.map((customer) => [customer.id, customer]));
  const canaries = createCanaries(world);
  const judge = createJudge(canaries, Date.now());
  const stores = world.places.filter(({ kind }) => kind === 'STORE').map(({ home }) => home.locationId);
  const askers = createAskers(product, stores[0] ?? '');
  report.progress(
    `${customers.length} customers, ${people.orders.length} orders, ${askers.length} askers, ${canaries.count} canaries`,
  );
  for (const asker of askers) {
    for (const path of pathsFor(asker, report)) {
      const served = customers.filter((customer) => asker.shared || visibleMembers(customer, asker).length > 0);
      await path({ product, judge, asker, customers: served, everybody, orders: people.orders });
    }
    report.progress(
      `${asker.client} ${asker.purpose} ${asker.medium ?? ''}: ${judge.counts.cells} cells, ${judge.findings.length} findings`,
    );
  }
  const logged = canaries.findIn(product.process.output());
  for (const { kind, what } of judge.findings.slice(0, 12)) report.progress(`${kind}: ${what}`);
  const count = (kind: string): number => judge.findings.filter((finding) => finding.kind === kind).length;
  const row = (metric: string, value: number, n: number, ok: boolean) =>
    report.row({ name: 'leak-basic', metric, value, unit: 'cells', n, median: null, spread: null, target: 0, ok });
  const { cells, allowed, refused, answers } = judge.counts;
  row('leaked', count('leak'), cells, count('leak') === 0 && refused > 0);
  row('wrongly withheld', count('withheld'), allowed, count('withheld') === 0 && allowed > 0);
  row('wrong value', count('wrong'), allowed, count('wrong') === 0);
  report.row({
    name: 'leak-basic',
    metric: 'values in logs',
    value: logged.size,
    unit: 'values',
    n: canaries.count,
    median: null,
    spread: null,
    target: 0,
    ok: logged.size === 0,
  });
  report.row({
    name: 'leak-basic',
    metric: 'answers read',
    value: answers,
    unit: 'answers',
    n: GOVERNED_FIELDS.length,
    median: null,
    spread: null,
    ok: answers > 0,
  });
}

/** All seven; where a rule was removed on purpose one is enough to see it. */
function pathsFor({ shared }: Asker, { sabotage }: Reporter): readonly (typeof PATHS)[keyof typeof PATHS][] {
  if (sabotage === null) return Object.values(PATHS);
  return [shared ? PATHS.customers : PATHS['customer(id)']];
}

/** Linked ones first, then evenly through the rest, so that a small sample has every kind. */
function choose(customers: readonly TruthCustomer[], count: number): readonly TruthCustomer[] {
  const known = customers.filter(({ members }) => members.length > 0);
  const linked = known.filter(({ members }) => members.length > 1);
  const single = known.filter(({ members }) => members.length === 1);
  const some = linked.slice(0, Math.ceil(count / 3));
  const step = Math.max(1, Math.floor(single.length / Math.max(1, count - some.length)));
  return [...some, ...single.filter((_, index) => index % step === 0)].slice(0, count);
}

function createAskers(product: Product, store: string): readonly Asker[] {
  return CLIENTS.flatMap(({ client, role, scopes, purposes }) =>
    purposes.flatMap((purpose) =>
      (purpose === 'MARKETING' ? MEDIA : [null]).map((medium): Asker => {
        const shared = role !== 'customer';
        const binding = role === 'associate' ? { store } : {};
        return {
          client,
          role,
          scopes,
          purpose,
          medium,
          stores: role === 'associate' ? [store] : [],
          shared,
          tokenOf: async ({ id }) => product.token(client, shared ? binding : { customer: id }),
        };
      }),
    ),
  );
}
