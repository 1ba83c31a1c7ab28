import type { DatasetInvoice } from '#sandbox/dataset/online-retail.ts';
import { createPersonalValues } from './personal-values.ts';
import type { PersonalValues } from './personal-values.ts';
import { createRandom } from './random.ts';
import type { Random } from './random.ts';
import type { Scale, WorldOrder, WorldOrderStage, WorldPerson, WorldPlace, WorldProduct } from './types.ts';

type Channel = WorldOrder['channel'];

const COUNTS: Readonly<Record<Scale, number>> = { small: 700, medium: 9_000, large: 60_000 };
const HOUR_MS = 3_600_000;
const OPEN_HOURS = 10 * 24;

const SHIPPED: readonly WorldOrderStage[] = [
  'received',
  'validated',
  'paid',
  'released',
  'picking',
  'packed',
  'shipped',
];
const PICKUP: readonly WorldOrderStage[] = ['received', 'paid', 'released', 'picking', 'packed', 'readyForPickup'];
const OPEN_STAGES: Readonly<Record<Channel, readonly WorldOrderStage[]>> = {
  web: SHIPPED,
  app: SHIPPED,
  store: ['collected'],
  amazon: ['received', 'paid', 'shipped'],
};
const CLOSED_STAGES: Readonly<Record<Channel, readonly (readonly [WorldOrderStage, number])[]>> = {
  web: [
    ['delivered', 12],
    ['returnRequested', 1],
    ['refunded', 1],
    ['canceled', 2],
  ],
  app: [
    ['delivered', 12],
    ['returnRequested', 1],
    ['refunded', 1],
    ['canceled', 2],
  ],
  store: [
    ['collected', 14],
    ['refunded', 1],
    ['returnRequested', 1],
    ['canceled', 1],
  ],
  amazon: [
    ['delivered', 9],
    ['refunded', 1],
    ['canceled', 1],
  ],
};
const NUMBER_PREFIX: Readonly<Record<Channel, string>> = { web: 'WEB', app: 'APP', store: 'TILL', amazon: 'AMZ' };

interface Making {
  readonly random: Random;
  readonly values: PersonalValues;
  readonly builtAtMs: number;
  readonly stores: readonly WorldPlace[];
  readonly products: readonly WorldProduct[];
}

/** What is known of an order before its systems and state are drawn. */
interface Sale {
  readonly orderNumber: string | null;
  readonly channel: Channel;
  readonly buyer: WorldPerson | null;
  readonly placedAtMs: number;
  readonly lines: WorldOrder['lines'] | null;
  readonly refunded: boolean;
  readonly index: number;
}

/** Orders of every channel and stage, oldest first. Open ones are at most ten days old. */
export function buildOrders(options: {
  readonly seed: number;
  readonly scale: Scale;
  readonly builtAt: string;
  readonly places: readonly WorldPlace[];
  readonly products: readonly WorldProduct[];
  readonly people: readonly WorldPerson[];
  /** Real invoices instead of invented orders. */
  readonly invoices: readonly DatasetInvoice[] | null;
}): WorldOrder[] {
  const random = createRandom(options.seed, 'orders');
  const making: Making = {
    random,
    values: createPersonalValues(options.seed + 7_919_000_000),
    builtAtMs: Date.parse(options.builtAt),
    stores: options.places.filter((place) => place.kind === 'STORE'),
    products: options.products,
  };
  const sales =
    options.invoices === null
      ? Array.from({ length: COUNTS[options.scale] }, (_, index) => inventSale(making, options.people, index))
      : adoptInvoices(making, options.people, options.invoices);
  return sales
    .map((sale) => toOrder(making, sale))
    .toSorted((a, b) => compare(a.placedAt, b.placedAt) || compare(a.orderNumber, b.orderNumber));
}

function inventSale(making: Making, people: readonly WorldPerson[], index: number): Sale {
  const { random } = making;
  const channel = pickChannel(random);
  const hours = random.chance(0.5) ? random.between(1, OPEN_HOURS) : random.between(OPEN_HOURS, 400 * 24);
  return {
    orderNumber: null,
    channel,
    buyer: pickBuyer(random, people, channel),
    placedAtMs: making.builtAtMs - hours * HOUR_MS - random.between(0, 3599) * 1000,
    lines: null,
    refunded: false,
    index,
  };
}

function adoptInvoices(making: Making, people: readonly WorldPerson[], invoices: readonly DatasetInvoice[]): Sale[] {
  const byId = new Map(people.map((person) => [person.personId, person]));
  const shiftMs = making.builtAtMs - 12 * HOUR_MS - Math.max(...invoices.map((invoice) => invoice.atMs));
  return invoices.map((invoice, index) => {
    const buyer = byId.get(`P${invoice.customerId ?? ''}`) ?? null;
    return {
      orderNumber: `${invoice.refunded ? 'C' : ''}${invoice.number}`,
      channel: buyer === null ? pickChannel(making.random) : channelFor(making.random, buyer),
      buyer,
      placedAtMs: invoice.atMs + shiftMs,
      lines: invoice.lines,
      refunded: invoice.refunded,
      index,
    };
  });
}

function pickChannel(random: Random): Channel {
  return random.weighted([
    ['web', 40],
    ['app', 15],
    ['store', 30],
    ['amazon', 15],
  ]);
}

/** A real customer buys where one of the records is. */
function channelFor(random: Random, buyer: WorldPerson): Channel {
  const system = random.pick(buyer.profiles).system;
  if (system === 'marketplace') return 'amazon';
  return system === 'pos' ? 'store' : random.pick(['web', 'app'] as const);
}

/** Someone whose record the channel's system has; null: a guest or a walk-in. */
function pickBuyer(random: Random, people: readonly WorldPerson[], channel: Channel): WorldPerson | null {
  const system = channel === 'store' ? 'pos' : channel === 'amazon' ? 'marketplace' : 'crm';
  if (channel !== 'amazon' && random.chance(0.12)) return null;
  for (let attempt = 0; attempt < 60; attempt += 1) {
    const person = random.pick(people);
    if (person.profiles.some((profile) => profile.system === system)) return person;
  }
  return null;
}

function toOrder(making: Making, sale: Sale): WorldOrder {
  const { random, builtAtMs } = making;
  const { channel, buyer } = sale;
  const ageHours = (builtAtMs - sale.placedAtMs) / HOUR_MS;
  const pickup = channel !== 'store' && channel !== 'amazon' && random.chance(0.2);
  const stage = sale.refunded ? 'refunded' : pickStage(random, channel, { pickup, open: ageHours < OPEN_HOURS });
  const place = pickPlace(making, channel, pickup);
  const profileIds = profileIdsOf(buyer, channel, pickup);
  const orderNumber = sale.orderNumber ?? `${NUMBER_PREFIX[channel]}-${100_000 + sale.index}`;
  const isGuest = Object.keys(profileIds).length === 0 && channel !== 'store';
  return {
    orderNumber,
    channel,
    stage,
    placedAt: new Date(sale.placedAtMs).toISOString(),
    updatedAt: new Date(sale.placedAtMs + Math.floor(random.ratio() * Math.min(ageHours, 96) * HOUR_MS)).toISOString(),
    personId: isGuest ? null : (buyer?.personId ?? null),
    profileIds,
    guest: isGuest ? inventGuest(making, channel) : null,
    lines: sale.lines ?? inventLines(making, channel),
    currency: 'GBP',
    place,
    ids: systemIds(random, { channel, pickup, stage, orderNumber }),
  };
}

function pickStage(
  random: Random,
  channel: Channel,
  about: { readonly pickup: boolean; readonly open: boolean },
): WorldOrderStage {
  if (about.open && random.chance(0.7)) return random.pick(about.pickup ? PICKUP : OPEN_STAGES[channel]);
  const stage = random.weighted(CLOSED_STAGES[channel]);
  return about.pickup && stage === 'delivered' ? 'collected' : stage;
}

function pickPlace({ random, stores }: Making, channel: Channel, pickup: boolean): string {
  if (channel === 'amazon') return 'FBA';
  if (channel === 'store' || pickup) return random.pick(stores).code;
  return random.weighted([
    ['W1', 6],
    ['W2', 4],
    ['SUP1', 1],
  ]);
}

function profileIdsOf(buyer: WorldPerson | null, channel: Channel, pickup: boolean): WorldOrder['profileIds'] {
  const idOf = (system: 'crm' | 'pos' | 'marketplace') =>
    buyer?.profiles.find((profile) => profile.system === system)?.externalId;
  const ids: Partial<Record<'crm' | 'pos' | 'marketplace', string>> = {};
  const carriers =
    channel === 'store'
      ? (['pos'] as const)
      : channel === 'amazon'
        ? (['marketplace'] as const)
        : pickup
          ? (['crm', 'pos'] as const)
          : (['crm'] as const);
  for (const system of carriers) {
    const id = idOf(system);
    if (id !== undefined) ids[system] = id;
  }
  // A web order of someone whom only the till knows is a guest's: the shop does not see the till's records.
  return channel !== 'store' && channel !== 'amazon' && ids.crm === undefined ? {} : ids;
}

function inventGuest({ values, random }: Making, channel: Channel): NonNullable<WorldOrder['guest']> {
  const givenName = values.givenName('GB');
  const familyName = values.familyName('GB');
  return {
    givenName,
    familyName,
    email: channel === 'amazon' ? `${values.alias()}@marketplace.amazon.example` : values.email(givenName, familyName),
    phone: random.chance(0.7) ? values.phone('GB') : null,
    address: values.address('GB'),
  };
}

function inventLines({ random, products }: Making, channel: Channel): WorldOrder['lines'] {
  const skus = new Set<WorldProduct>();
  const wanted = random.between(1, 4);
  for (let attempt = 0; skus.size < wanted && attempt < 20; attempt += 1) {
    const product = random.pick(products);
    if (channel === 'store' && product.posVariationId === null) continue;
    if (channel !== 'amazon' || product.sellerSku !== null) skus.add(product);
  }
  return [...skus].map((product) => ({
    sku: product.sku,
    quantity: product.baseUnit === 'PIECE' ? random.between(1, 3) : random.between(1, 8) * 125,
    unitPriceMinor: priceIn(product, channel),
  }));
}

function priceIn(product: WorldProduct, channel: Channel): number {
  if (channel === 'amazon') return product.marketplacePriceMinor;
  return channel === 'store' ? product.storePriceMinor : product.priceMinor;
}

const UNRELEASED = new Set<WorldOrderStage>(['received', 'validated', 'paid']);

/** Web and app orders: ERP, then the warehouse or, for pickups, the store's till. Till sales never reach the ERP as orders. */
function systemIds(
  random: Random,
  about: {
    readonly channel: Channel;
    readonly pickup: boolean;
    readonly stage: WorldOrderStage;
    readonly orderNumber: string;
  },
): WorldOrder['ids'] {
  if (about.channel === 'amazon') {
    return {
      marketplace: `${random.text(3, '0123456789')}-${random.text(7, '0123456789')}-${random.text(7, '0123456789')}`,
    };
  }
  const erp = random.uuid();
  const pos = random.text(26);
  const wms = `FF-${about.orderNumber}`;
  if (about.channel === 'store') return { pos };
  if (about.pickup) return { erp, pos };
  return UNRELEASED.has(about.stage) ? { erp } : { erp, wms };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
