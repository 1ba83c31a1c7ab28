// The rules of the consent design written a second time, from its tables alone: nothing of domain/ or schema/ is used, so
// that a mistake there cannot hide here.

/** A decision somebody took, as the retailer's file states it. */
export interface Decision {
  readonly purpose: string;
  /** Null: every medium. */
  readonly medium: string | null;
  /** Null: ourselves. */
  readonly recipient: string | null;
  readonly decision: string;
  readonly at: string;
}

/** An order as far as a basis needs it. */
export interface BasisOrder {
  readonly storeId: string | null;
  /** Null: for ever. */
  readonly openUntilMs: number | null;
}

/** One record of a person: a profile in a system, or a guest of one order. */
export interface Member {
  readonly key: string;
  readonly isMarketplace: boolean;
  /** The same for members proven to be one person. */
  readonly proof: string;
  readonly decisions: readonly Decision[];
  readonly orders: readonly BasisOrder[];
}

export interface Caller {
  readonly role: string;
  readonly purpose: string;
  readonly medium: string | null;
  readonly stores: readonly string[];
  /** Scopes of the token. */
  readonly scopes: readonly string[];
}

const DAY_MS = 86_400_000;
const GRANT_DAYS = 730;

const CATEGORY: Readonly<Record<string, { readonly media: readonly string[]; readonly purposes: readonly string[] }>> =
  {
    'Customer.name': {
      media: [],
      purposes: ['ORDER_FULFILLMENT', 'SERVICE_SUPPORT', 'MARKETING', 'PERSONALIZATION', 'LEGAL_OBLIGATION'],
    },
    'Customer.email': contact('EMAIL'),
    'Customer.phone': contact('SMS', 'PHONE'),
    'Customer.addresses': contact('POST'),
    'Customer.birthDate': {
      media: [],
      purposes: ['SERVICE_SUPPORT', 'MARKETING', 'PERSONALIZATION', 'LEGAL_OBLIGATION'],
    },
    'Customer.preferences': {
      media: [],
      purposes: ['SERVICE_SUPPORT', 'MARKETING', 'PERSONALIZATION', 'LEGAL_OBLIGATION'],
    },
    'Customer.loyalty': {
      media: [],
      purposes: ['SERVICE_SUPPORT', 'MARKETING', 'PERSONALIZATION', 'LEGAL_OBLIGATION'],
    },
    'Customer.orders': behavior(),
    'Order.customer': behavior(),
    'Order.lines': behavior(),
    'Order.total': behavior(),
  };

function contact(...media: string[]) {
  return { media, purposes: ['ORDER_FULFILLMENT', 'SERVICE_SUPPORT', 'MARKETING', 'LEGAL_OBLIGATION'] };
}

function behavior() {
  return {
    media: [] as string[],
    purposes: ['ORDER_FULFILLMENT', 'SERVICE_SUPPORT', 'PERSONALIZATION', 'LEGAL_OBLIGATION'],
  };
}

export const GOVERNED_FIELDS: readonly string[] = Object.keys(CATEGORY);

/** The table: S self, B with the basis, C with consent; everything else is a dash. */
const TABLE: Readonly<Record<string, Readonly<Record<string, 'S' | 'B' | 'C'>>>> = {
  customer: { SERVICE_SUPPORT: 'S' },
  'service-job': { ORDER_FULFILLMENT: 'B', SERVICE_SUPPORT: 'B' },
  associate: { ORDER_FULFILLMENT: 'B', SERVICE_SUPPORT: 'B', PERSONALIZATION: 'C' },
  marketer: { MARKETING: 'C', PERSONALIZATION: 'C' },
  'privacy-officer': { LEGAL_OBLIGATION: 'B' },
};

/** Marketplace buyers handed their details over for an order and for help with it, nothing else. */
export function seesMarketplace(purpose: string): boolean {
  return purpose === 'ORDER_FULFILLMENT' || purpose === 'SERVICE_SUPPORT';
}

/**
 * Whether a field of a row may leave. `asked`: the row's own members as the caller may see them; `all`: everybody joined
 * with them.
 */
export function mayLeave(
  field: string,
  caller: Caller,
  row: { readonly asked: readonly Member[]; readonly all: readonly Member[] },
  nowMs: number,
): boolean {
  const category = CATEGORY[field];
  if (!caller.scopes.includes(scopeOf(field))) return false;
  const cell = TABLE[caller.role]?.[caller.purpose];
  if (category === undefined || cell === undefined || !category.purposes.includes(caller.purpose)) return false;
  if (row.asked.length === 0) return false;
  if (cell === 'S') return true;
  if (cell === 'C') return consents(category.media, caller, row, nowMs);
  if (caller.purpose === 'LEGAL_OBLIGATION') return true;
  return row.all.some(({ orders }) =>
    orders.some(
      ({ openUntilMs, storeId }) =>
        (openUntilMs === null || openUntilMs > nowMs) &&
        (caller.role !== 'associate' || (storeId !== null && caller.stores.includes(storeId))),
    ),
  );
}

/** What the token needs for the field itself: orders have a scope of their own, the customer of an order the customer's. */
function scopeOf(field: string): string {
  return ['Customer.orders', 'Order.lines', 'Order.total'].includes(field) ? 'orders:read' : 'customers:read';
}

function consents(
  media: readonly string[],
  { purpose, medium }: Caller,
  { asked, all }: { readonly asked: readonly Member[]; readonly all: readonly Member[] },
  nowMs: number,
): boolean {
  if (asked.some(({ isMarketplace }) => isMarketplace)) return false;
  const needed = neededMedia(media, purpose, medium);
  const proofs = new Set(asked.map(({ proof }) => proof));
  return needed.every((one) => {
    const states = all.map((member) => ({ member, state: stateOf(member.decisions, purpose, one, nowMs) }));
    // The most restrictive of the set: a no of any member, or a yes that lapsed, closes it.
    if (states.some(({ state }) => state === 'REFUSED' || state === 'EXPIRED')) return false;
    // Silence is covered by a yes of the same proven person only.
    return [...proofs].every((proof) =>
      states.some(({ member, state }) => state === 'GRANTED' && member.proof === proof && !member.isMarketplace),
    );
  });
}

/** Undeclared: all of the category's media; no media: every medium, unless marketing declares the one it uses. */
function neededMedia(media: readonly string[], purpose: string, declared: string | null): readonly (string | null)[] {
  if (media.length === 0) return [purpose === 'MARKETING' ? declared : null];
  return declared !== null && media.includes(declared) ? [declared] : media;
}

type State = 'GRANTED' | 'REFUSED' | 'EXPIRED' | 'SILENT';

/** Most specific first, but a refusal at any covering level beats a grant. */
function stateOf(decisions: readonly Decision[], purpose: string, medium: string | null, nowMs: number): State {
  const levels = medium === null ? [null] : [medium, null];
  const states = levels.map((level) => lastOf(decisions, purpose, level, nowMs));
  if (states.includes('REFUSED')) return 'REFUSED';
  return states.find((state) => state !== 'SILENT') ?? 'SILENT';
}

function lastOf(decisions: readonly Decision[], purpose: string, medium: string | null, nowMs: number): State {
  const last = decisions
    .filter((one) => one.purpose === purpose && one.medium === medium && one.recipient === null)
    .toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at))
    .at(-1);
  if (last === undefined) return 'SILENT';
  if (last.decision !== 'GRANT') return 'REFUSED';
  return nowMs >= Date.parse(last.at) + GRANT_DAYS * DAY_MS ? 'EXPIRED' : 'GRANTED';
}
