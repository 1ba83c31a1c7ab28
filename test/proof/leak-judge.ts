import type { Answer } from '#test/support/product-client.ts';
import { canaryOf, type Canaries } from './canaries.ts';
import { type Caller, mayLeave, seesMarketplace } from './consent-oracle.ts';
import type { TruthCustomer, TruthMember, TruthOrder } from './world-people.ts';

/** A field of a row that came out otherwise than the rules say. */
export interface Finding {
  readonly kind: 'leak' | 'withheld' | 'wrong';
  readonly what: string;
}

/** What one answer must show of its rows. */
export interface Expected {
  readonly caller: Caller;
  readonly customers: readonly { readonly truth: TruthCustomer; readonly node: Row | null }[];
  readonly orders: readonly { readonly truth: TruthOrder; readonly node: Row }[];
}

/** A cell: which field, of whom, for whom. */
interface Place {
  readonly coordinate: string;
  readonly at: string;
}

type Row = Readonly<Record<string, unknown>>;

const CUSTOMER_FIELDS = [
  'name',
  'email',
  'phone',
  'addresses',
  'birthDate',
  'preferences',
  'loyalty',
  'orders',
] as const;
const ORDER_FIELDS = ['customer', 'lines', 'total'] as const;

/** Compares answers with the rules over the truth; counts what was compared. */
export function createJudge(canaries: Canaries, nowMs: number) {
  const findings: Finding[] = [];
  const counts = { cells: 0, allowed: 0, refused: 0, answers: 0 };
  const report = (kind: Finding['kind'], what: string): void => void findings.push({ kind, what });

  const judgeCell = (
    { coordinate, at }: Place,
    allowed: boolean,
    value: unknown,
    acceptable: readonly string[] | null,
  ): void => {
    counts.cells += 1;
    counts[allowed ? 'allowed' : 'refused'] += 1;
    const isNull = value === null || value === undefined;
    if (!allowed && !isNull) report('leak', `${coordinate} ${at}`);
    if (!allowed || acceptable === null) {
      if (allowed && isNull) report('withheld', `${coordinate} ${at}`);
      return;
    }
    if (isNull && acceptable.length > 0) report('withheld', `${coordinate} ${at}`);
    if (!isNull && !textsOf(value).every((text) => acceptable.includes(text))) report('wrong', `${coordinate} ${at}`);
  };

  const judgeCustomer = (truth: TruthCustomer, node: Row | null, caller: Caller, permitted: Set<string>): void => {
    const asked = visibleMembers(truth, caller);
    const row = { asked, all: truth.members };
    const at = `${truth.members.map(({ key }) => key).join(' + ')} for ${caller.role} ${caller.purpose} ${caller.medium ?? '-'}`;
    for (const field of CUSTOMER_FIELDS) {
      const coordinate = `Customer.${field}`;
      const allowed = mayLeave(coordinate, caller, row, nowMs);
      if (allowed) permit(asked, field, permitted);
      if (node === null || !Object.hasOwn(node, field)) continue;
      judgeCell({ coordinate, at }, allowed, node[field], field === 'orders' ? null : acceptableOf(asked, field));
    }
  };

  return {
    findings,
    counts,
    /** Judges every governed cell of an answer, and then every string of it. */
    judge(answer: Pick<Answer, 'text' | 'headers'>, { caller, customers, orders }: Expected): void {
      counts.answers += 1;
      const permitted = new Set<string>();
      for (const { truth, node } of customers) judgeCustomer(truth, node, caller, permitted);
      for (const { truth, node } of orders) {
        const row = { asked: [truth.buyer], all: truth.customer.members };
        const at = `${truth.order.orderNumber} for ${caller.role} ${caller.purpose}`;
        for (const field of ORDER_FIELDS) {
          if (!Object.hasOwn(node, field)) continue;
          const allowed =
            mayLeave(`Order.${field}`, caller, row, nowMs) &&
            (field !== 'customer' || visibleMembers(truth.customer, caller).includes(truth.buyer));
          judgeCell({ coordinate: `Order.${field}`, at }, allowed, node[field], null);
        }
      }
      for (const canary of canaries.findInJson(JSON.parse(answer.text))) {
        if (!permitted.has(canary)) report('leak', `a value in the body for ${caller.role} ${caller.purpose}`);
      }
      const headers = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
      if (canaries.findIn(headers).size > 0) report('leak', `a value in a header for ${caller.role}`);
    },
  };
}
export type Judge = ReturnType<typeof createJudge>;

/** The members a caller may see: marketplace buyers for fulfillment and service only, a person what they proved. */
export function visibleMembers({ members }: TruthCustomer, { role, purpose }: Caller): readonly TruthMember[] {
  if (role === 'partner' || role === 'analyst') return [];
  const shown = members.filter(({ isMarketplace }) => !isMarketplace || seesMarketplace(purpose));
  return role === 'customer' ? shown.filter(({ proof }) => proof === members[0]?.proof) : shown;
}

function permit(members: readonly TruthMember[], field: string, permitted: Set<string>): void {
  for (const { values } of members) {
    if (field === 'name' && values.name !== null) permitted.add(canaryOf('text', values.name));
    if (field === 'email' && values.email !== null) permitted.add(canaryOf('email', values.email));
    if (field === 'phone' && values.phone !== null) permitted.add(canaryOf('phone', values.phone));
    if (field === 'addresses' && values.street !== null) permitted.add(canaryOf('text', values.street));
  }
}

/** Texts the field may show, of any visible member: which one wins is another test's business. */
function acceptableOf(members: readonly TruthMember[], field: (typeof CUSTOMER_FIELDS)[number]): readonly string[] {
  return members.flatMap(({ values }) => {
    if (field === 'addresses') return values.street ?? [];
    if (field === 'loyalty') return values.tiers;
    if (field === 'preferences') return values.preferences === null ? [] : JSON.stringify(values.preferences);
    if (field === 'orders') return [];
    return values[field] ?? [];
  });
}

/** A governed value as comparable texts; a field that is empty has none. */
function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) {
    return value.flatMap((entry: { lines?: string[]; tier?: string; points?: { value: number } }) =>
      entry.lines === undefined ? `${entry.tier} ${entry.points?.value}` : (entry.lines[0] ?? []),
    );
  }
  const { brands, categories, sizes } = value as Record<string, unknown>;
  return [JSON.stringify({ brands, categories, sizes })];
}
