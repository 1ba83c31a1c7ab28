import type { WorldTruth } from '#sandbox/world-truth.ts';
import type { WorldOrder, WorldProfile } from '#sandbox/world/types.ts';
import { customersOf, profileKey } from '#test/support/customers.ts';
import type { Product } from '#test/support/product-client.ts';
import type { BasisOrder, Member } from './consent-oracle.ts';

/** What a record of a person says, field by field; null: nothing. */
export interface MemberValues {
  readonly name: string | null;
  readonly email: string | null;
  readonly phone: string | null;
  readonly street: string | null;
  readonly birthDate: string | null;
  readonly preferences: WorldProfile['preferences'];
  readonly tiers: readonly string[];
}

export interface TruthMember extends Member {
  readonly values: MemberValues;
  readonly profile: WorldProfile | null;
}

/** A customer of the graph with the truth behind it. */
export interface TruthCustomer {
  readonly id: string;
  /** Oldest first as far as the graph tells; the first is the one whose id it is. */
  readonly members: readonly TruthMember[];
}

export interface TruthOrder {
  readonly id: string;
  readonly order: WorldOrder;
  readonly customer: TruthCustomer;
  /** Whose order it is. */
  readonly buyer: TruthMember;
}

const DAY_MS = 86_400_000;
const RETURN_DAYS = 30;

/** Joins the world's records to the graph's customers: who is whom, what they decided, what they ordered. */
export async function readPeople(
  product: Product,
  world: WorldTruth,
): Promise<{ readonly customers: readonly TruthCustomer[]; readonly orders: readonly TruthOrder[] }> {
  const profiles = world.profiles.filter(({ isTest }) => !isTest);
  const found = await lookUp(product, profiles);
  const listed = await readOrders(product);
  const orderOf = new Map<string, WorldOrder>(
    world.orders.flatMap((order) =>
      Object.entries(order.ids).map(([system, externalId]) => [`${system} ${externalId}`, order] as const),
    ),
  );
  const placed = listed.flatMap(({ id, customer, references }) => {
    const order = references.map((reference) => orderOf.get(profileKey(reference))).find((one) => one !== undefined);
    return order === undefined ? [] : [{ id, customer: customer ?? found.get(buyerKey(order)) ?? null, order }];
  });
  const ordersOfProfile = Map.groupBy(world.orders, buyerKey);
  const members = new Map<string, TruthMember[]>();
  const add = (customer: string, member: TruthMember): void => {
    members.set(customer, [...(members.get(customer) ?? []), member]);
  };
  for (const profile of profiles) {
    const customer = found.get(profileKey(profile));
    if (customer !== undefined) add(customer, profileMember(profile, world, ordersOfProfile));
  }
  for (const { customer, order } of placed) {
    if (customer !== null && order.guest !== null) add(customer, guestMember(order, world));
  }
  const firstSystems = await readFirstSystems(product, [...members.keys()]);
  const customers = new Map(
    [...members].map(([id, list]) => {
      const first = firstSystems.get(id);
      const isFirst = ({ profile }: TruthMember): boolean => (profile?.system ?? 'guest') === first;
      return [
        id,
        { id, members: withProof([...list.filter(isFirst), ...list.filter((one) => !isFirst(one))]) },
      ] as const;
    }),
  );
  const orders = placed.flatMap(({ id, customer, order }): TruthOrder[] => {
    const owner = customers.get(customer ?? '');
    const buyer = owner?.members.find(({ key }) => key === buyerKey(order));
    return owner === undefined || buyer === undefined ? [] : [{ id, order, customer: owner, buyer }];
  });
  return { customers: [...customers.values()], orders };
}

/** A profile it names, else the guest of the order. */
function buyerKey(order: WorldOrder): string {
  const [named] = Object.entries(order.profileIds);
  return named === undefined ? `guest ${order.orderNumber}` : `${named[0]} ${named[1]}`;
}

async function lookUp(product: Product, profiles: readonly WorldProfile[]): Promise<ReadonlyMap<string, string>> {
  const ordinary = profiles.filter(({ system }) => system !== 'marketplace');
  const buyers = profiles.filter(({ system }) => system === 'marketplace');
  const service = { client: 'associate', purpose: 'SERVICE_SUPPORT' };
  return new Map([...(await customersOf(product, ordinary)), ...(await customersOf(product, buyers, service))]);
}

interface Listed {
  readonly id: string;
  readonly customer: string | null;
  readonly references: readonly { readonly system: string; readonly externalId: string }[];
}

/** Every order with its customer, as those may know who may: the privacy officer, and for marketplaces the associates. */
async function readOrders(product: Product): Promise<readonly Listed[]> {
  const token = await product.token('privacy-officer');
  const orders: Listed[] = [];
  for (let after: string | null = null, more = true; more;) {
    const answer = await product.ask(
      'query($after: String) { orders(first: 100, after: $after) { nodes { id customer { id } references { system externalId } } pageInfo { hasNextPage endCursor } } }',
      { token, purpose: 'LEGAL_OBLIGATION', variables: { after } },
    );
    if (answer.errors.length > 0) throw new Error(`orders could not be read: ${answer.text.slice(0, 500)}`);
    const { nodes, pageInfo } = answer.data.orders;
    for (const { id, customer, references } of nodes) orders.push({ id, customer: customer?.id ?? null, references });
    after = pageInfo.endCursor;
    more = pageInfo.hasNextPage;
  }
  return orders;
}

/** The system of the oldest profile of each customer. */
async function readFirstSystems(product: Product, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const token = await product.token('associate');
  const systems = new Map<string, string>();
  for (let start = 0; start < ids.length; start += 20) {
    const batch = ids.slice(start, start + 20);
    const fields = batch.map((id, index) => `c${index}: customer(id: ${JSON.stringify(id)}) { profiles { system } }`);
    const answer = await product.ask(`{ ${fields.join(' ')} }`, { token, purpose: 'SERVICE_SUPPORT' });
    batch.forEach((id, index) => {
      const system: unknown = answer.data?.[`c${index}`]?.profiles?.[0]?.system;
      // Guests are known to the system their order came from.
      if (typeof system === 'string')
        systems.set(id, ['crm', 'pos', 'marketplace'].includes(system) ? system : 'guest');
    });
  }
  return systems;
}

function profileMember(
  profile: WorldProfile,
  world: WorldTruth,
  ordersOf: ReadonlyMap<string, readonly WorldOrder[]>,
): TruthMember {
  const key = profileKey(profile);
  const { email, phone, address, birthDate, preferences } = profile;
  const accounts = world.loyalty.filter(
    ({ posCustomerId }) => profile.system === 'pos' && posCustomerId === profile.externalId,
  );
  return {
    key,
    profile,
    isMarketplace: profile.system === 'marketplace',
    proof: key,
    decisions: world.consents.filter((consent) => profileKey(consent) === key),
    orders: (ordersOf.get(key) ?? []).map((order) => toBasis(order, world)),
    values: {
      name: `${profile.givenName} ${profile.familyName}`,
      email,
      phone,
      street: address?.street ?? null,
      birthDate,
      preferences,
      tiers: accounts.map(({ tier, points }) => `${tier} ${points}`),
    },
  };
}

function guestMember(order: WorldOrder, world: WorldTruth): TruthMember {
  const { guest } = order;
  const key = `guest ${order.orderNumber}`;
  return {
    key,
    profile: null,
    isMarketplace: false,
    proof: key,
    decisions: [],
    orders: [toBasis(order, world)],
    values: {
      name: guest === null ? null : `${guest.givenName} ${guest.familyName}`,
      email: guest?.email ?? null,
      phone: guest?.phone ?? null,
      street: guest?.address?.street ?? null,
      birthDate: null,
      preferences: null,
      tiers: [],
    },
  };
}

/** Open while it is worked on or being returned, 30 days after it was handed over, not at all once canceled or refunded. */
function toBasis(order: WorldOrder, world: WorldTruth): BasisOrder {
  const storeId = world.places.find(({ code }) => code === order.place)?.home.locationId ?? null;
  if (order.stage === 'canceled' || order.stage === 'refunded') return { storeId, openUntilMs: 0 };
  const handedOver = order.stage === 'collected' || order.stage === 'delivered';
  return { storeId, openUntilMs: handedOver ? Date.parse(order.updatedAt) + RETURN_DAYS * DAY_MS : null };
}

/** Members that share a loyalty number, or an e-mail address both systems verified, are proven to be one person. */
function withProof(members: readonly TruthMember[]): readonly TruthMember[] {
  const proofs = members.map((_, index) => index);
  members.forEach((a, i) =>
    members.forEach((b, j) => {
      if (i < j && areProven(a, b)) {
        const [from, to] = [proofs[j], proofs[i] ?? 0];
        proofs.forEach((proof, index) => {
          if (proof === from) proofs[index] = to;
        });
      }
    }),
  );
  return members.map((member, index) => ({ ...member, proof: String(proofs[index]) }));
}

function areProven(a: TruthMember, b: TruthMember): boolean {
  const [one, other] = [a.profile, b.profile];
  if (one === null || other === null) return false;
  if (one.loyaltyNumber !== null && one.loyaltyNumber === other.loyaltyNumber) return true;
  const verified = ({ system, emailVerified }: WorldProfile): boolean => system === 'crm' && emailVerified;
  return one.email !== null && one.email === other.email && verified(one) && verified(other);
}
