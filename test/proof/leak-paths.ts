import type { Answer, AskOptions, Product } from '#test/support/product-client.ts';
import type { Caller } from './consent-oracle.ts';
import type { Judge } from './leak-judge.ts';
import type { TruthCustomer, TruthOrder } from './world-people.ts';

/** Who asks: a development client with one of its purposes and, for marketing, one of the media. */
export interface Asker extends Caller {
  readonly client: string;
  /** Null: the purpose is the token's only one, or declared by header anyway. */
  readonly tokenOf: (customer: TruthCustomer) => Promise<string>;
  /** One token for every customer; false for people, who ask about themselves. */
  readonly shared: boolean;
}

export interface PathWork {
  readonly product: Product;
  readonly judge: Judge;
  readonly asker: Asker;
  readonly customers: readonly TruthCustomer[];
  /** Everybody: lists show more than the chosen ones. */
  readonly everybody: ReadonlyMap<string, TruthCustomer>;
  readonly orders: readonly TruthOrder[];
}

const FIELDS = `name email phone addresses { lines city } birthDate preferences { brands categories sizes } loyalty { tier points { value } }`;
const ORDERS = 'orders(first: 3) { nodes { id } }';
type Row = Readonly<Record<string, unknown>>;

async function ask(
  { product, asker, judge }: PathWork,
  query: string,
  {
    token,
    variables,
    rows,
  }: {
    token: string;
    variables?: AskOptions['variables'];
    rows: (data: Row) => Parameters<Judge['judge']>[1]['customers'];
  },
): Promise<Answer> {
  const answer = await product.ask(query, {
    token,
    purpose: asker.purpose,
    ...(asker.medium === null ? {} : { medium: asker.medium }),
    ...(variables === undefined ? {} : { variables }),
  });
  if (answer.status !== 200)
    throw new Error(`${asker.client} ${asker.purpose}: ${answer.status} ${answer.text.slice(0, 300)}`);
  judge.judge(answer, { caller: asker, customers: rows((answer.data ?? {}) as Row), orders: [] });
  return answer;
}

const node = (data: Row, key: string): Row | null => (data[key] ?? null) as Row | null;
const nodesOf = (data: Row, key: string): readonly Row[] => (node(data, key)?.['nodes'] ?? []) as readonly Row[];

/** One at a time by id. */
async function byId(work: PathWork): Promise<void> {
  await each(work.customers, 4, async (truth) => {
    const token = await work.asker.tokenOf(truth);
    const query = `query One($id: ID!) { customer(id: $id) { id ${FIELDS} ${ORDERS} } }`;
    await ask(work, query, {
      token,
      variables: { id: truth.id },
      rows: (data) => [{ truth, node: node(data, 'customer') }],
    });
  });
}

/** Page by page through the list. */
async function byList(work: PathWork): Promise<void> {
  await lists(work, `${FIELDS} ${ORDERS}`);
}

/** By the record's name in its system. */
async function byFind(work: PathWork): Promise<void> {
  const findable = work.customers.filter(({ members }) => members.some(({ profile }) => profile !== null));
  await batches(work, findable, 10, async (batch, token) => {
    const names = batch.map((_, index) => `$k${index}: CustomerKey!`).join(', ');
    const fields = batch.map((_, index) => `c${index}: findCustomer(by: $k${index}) { id ${FIELDS} }`).join(' ');
    const variables = Object.fromEntries(
      batch.map(({ members }, index) => {
        const profile = members.find((member) => member.profile !== null)?.profile;
        return [`k${index}`, { external: { system: profile?.system, externalId: profile?.externalId } }];
      }),
    );
    const rows = (data: Row) => batch.map((truth, index) => ({ truth, node: node(data, `c${index}`) }));
    await ask(work, `query Find(${names}) { ${fields} }`, { token, variables, rows });
  });
}

/** Around the corner: order, its customer, and that customer's values. */
async function byOrder(work: PathWork): Promise<void> {
  const { product, asker, judge, orders, customers } = work;
  const wanted = new Set(customers.map(({ id }) => id));
  const mine = orders.filter(({ customer }) => wanted.has(customer.id));
  const people = asker.shared ? [null] : customers;
  await each(people, 4, async (person) => {
    const token = await asker.tokenOf(person ?? customers[0]!);
    const own = person === null ? mine : mine.filter(({ customer }) => customer === person);
    await each(chunks(own, 10), 2, async (batch) => {
      const fields = batch.map(
        ({ id }, index) =>
          `o${index}: order(id: ${JSON.stringify(id)}) { id total { amount } lines { sku quantity } customer { id ${FIELDS} } }`,
      );
      const answer = await product.ask(`{ ${fields.join(' ')} }`, {
        token,
        purpose: asker.purpose,
        ...(asker.medium === null ? {} : { medium: asker.medium }),
      });
      const data = (answer.data ?? {}) as Row;
      const shown = batch.flatMap((truth, index) => {
        const row = node(data, `o${index}`);
        return row === null ? [] : [{ truth, node: row }];
      });
      const rows = shown.map(({ truth, node: row }) => ({ truth: truth.customer, node: node(row, 'customer') }));
      // A token without the scope gets null for every order: there is nothing to compare but the bytes.
      const refused = answer.errors.some(({ extensions }) => extensions.code === 'SCOPE_REQUIRED');
      judge.judge(answer, { caller: asker, customers: rows, orders: refused ? [] : shown });
    });
  });
}

/** Under other names, through fragments. */
async function byAlias(work: PathWork): Promise<void> {
  await batches(work, work.customers, 4, async (batch, token) => {
    const fields = batch
      .map(({ id }, index) => `c${index}: customer(id: ${JSON.stringify(id)}) { ...Outer }`)
      .join(' ');
    const query = `{ ${fields} }
      fragment Outer on Customer { id ... on Customer { title: name ...Inner } }
      fragment Inner on Customer { phone preferred: email email: phone where: addresses { lines } }`;
    const rows = (data: Row) =>
      batch.map((truth, index) => {
        const row = node(data, `c${index}`);
        return {
          truth,
          node:
            row === null
              ? null
              : { name: row['title'], email: row['preferred'], phone: row['email'], addresses: row['where'] },
        };
      });
    await ask(work, query, { token, rows });
  });
}

/** In lists, switched on and off by directives, and nested once more behind the orders. */
async function byDirective(work: PathWork): Promise<void> {
  const flags = `name @include(if: $yes) email @skip(if: $no) phone @include(if: $yes) @skip(if: $no)
    birthDate @include(if: $no) ... @include(if: $yes) { addresses { lines } } orders(first: 2) { nodes { customer { name email } } }`;
  await lists(work, flags, { yes: true, no: false }, '$yes: Boolean!, $no: Boolean!, ');
}

async function lists(
  work: PathWork,
  fields: string,
  variables: Readonly<Record<string, unknown>> = {},
  declared = '',
): Promise<void> {
  const people = work.asker.shared ? [work.customers[0]!] : work.customers;
  await each(people, 4, async (person) => {
    const token = await work.asker.tokenOf(person);
    let after: string | null = null;
    do {
      const query = `query List(${declared}$after: String) { customers(first: 50, after: $after) { nodes { id ${fields} } pageInfo { hasNextPage endCursor } } }`;
      const answer: Answer = await ask(work, query, {
        token,
        variables: { ...variables, after },
        rows: (data) =>
          nodesOf(data, 'customers').flatMap((row) => {
            const truth = work.everybody.get(String(row['id']));
            return truth === undefined ? [] : [{ truth, node: row }];
          }),
      });
      const pageInfo = answer.data?.customers?.pageInfo;
      after = pageInfo?.hasNextPage === true ? pageInfo.endCursor : null;
    } while (after !== null);
  });
}

/** As the first event of a stream, each for its own caller. */
async function byStream(work: PathWork): Promise<void> {
  const { product, asker, judge } = work;
  const query = `subscription One($id: ID!) { customerChanged(id: $id) { id ${FIELDS} ${ORDERS} } }`;
  await each(work.customers, 4, async (truth) => {
    const headers: Record<string, string> = {
      authorization: `Bearer ${await asker.tokenOf(truth)}`,
      'mortar-purpose': asker.purpose,
      ...(asker.medium === null ? {} : { 'mortar-medium': asker.medium }),
    };
    const event = await firstEvent(product.urls.graph, { query, variables: { id: truth.id } }, headers);
    const { data } = JSON.parse(event.text) as { readonly data?: Row | null };
    const customers = [{ truth, node: node(data ?? {}, 'customerChanged') }];
    judge.judge(event, { caller: asker, customers, orders: [] });
  });
}

/** Opens a stream, reads its first event and leaves. */
async function firstEvent(url: string, body: object, given: Readonly<Record<string, string>>) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...given, 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify(body),
  });
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString('latin1');
    const data = /^data: (.*)\n\n/m.exec(text)?.[1];
    // Leaving the loop ends the stream.
    if (data !== undefined) return { headers: response.headers, text: Buffer.from(data, 'latin1').toString() };
  }
  throw new Error(`no event came: ${response.status} ${text.slice(0, 300)}`);
}

/** The ways a value could come out; each judges every answer. */
export const PATHS = {
  'customer(id)': byId,
  customers: byList,
  findCustomer: byFind,
  'order.customer': byOrder,
  'aliases and fragments': byAlias,
  'lists with @include and @skip': byDirective,
  'customerChanged(id)': byStream,
} as const satisfies Readonly<Record<string, (work: PathWork) => Promise<void>>>;

async function batches(
  { asker }: PathWork,
  customers: readonly TruthCustomer[],
  size: number,
  run: (batch: readonly TruthCustomer[], token: string) => Promise<void>,
): Promise<void> {
  await each(chunks(customers, asker.shared ? size : 1), 4, async (batch) =>
    run(batch, await asker.tokenOf(batch[0]!)),
  );
}

function chunks<V>(values: readonly V[], size: number): readonly (readonly V[])[] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, index) =>
    values.slice(index * size, (index + 1) * size),
  );
}

/** Runs over all values, `width` at a time. */
async function each<V>(values: readonly V[], width: number, run: (value: V) => Promise<void>): Promise<void> {
  const queue = values.values();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const value of queue) await run(value);
    }),
  );
}
