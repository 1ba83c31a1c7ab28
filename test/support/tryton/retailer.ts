import type { World, WorldOrder, WorldProfile } from '#sandbox/world/types.ts';

/** How the connector logs in to the seeded database. */
export const TRYTON_USER = { login: 'mortar', password: 'sandbox-9XkQ2w' } as const;
/** What stands before the CRM's contact id in the code of a party that is a customer there. */
export const CRM_CODE_PREFIX = 'CRM-';

interface Party {
  readonly code: string;
  readonly name: string;
  readonly email: string | null;
  readonly phone: string | null;
  readonly address: WorldProfile['address'];
}

/** The part of the sandbox's world that an ERP and the warehouses know, as `seed.py` takes it in. */
export function toRetailer(world: World): object {
  const places = world.places.filter(({ ids }) => ids.wms !== undefined);
  const isOurs = new Set(places.map(({ code }) => code));
  const orders = world.orders.filter(({ ids }) => ids.erp !== undefined);
  const contacts = world.profiles.filter(({ system }) => system === 'crm');
  return {
    company: { name: 'Mortar Goods', currency: 'GBP' },
    user: TRYTON_USER,
    warehouses: places.map(({ code, name }) => ({ code, name })),
    products: world.products.map(({ sku, title, category, gtin, baseUnit, priceMinor }) => ({
      sku,
      title,
      category,
      gtin,
      baseUnit,
      price: decimalOf(priceMinor),
    })),
    stock: [...world.stock.values()].filter(({ place }) => isOurs.has(place)),
    parties: [...contacts.map(toParty), ...orders.flatMap((order) => guestOf(order) ?? [])],
    orders: orders.map((order) => ({
      orderNumber: order.orderNumber,
      channel: order.channel,
      stage: order.stage,
      placedOn: order.placedAt.slice(0, 10),
      place: order.place,
      party: order.profileIds.crm === undefined ? guestCode(order) : `${CRM_CODE_PREFIX}${order.profileIds.crm}`,
      lines: order.lines.map(({ sku, quantity, unitPriceMinor }) => ({
        sku,
        quantity,
        unitPrice: decimalOf(unitPriceMinor),
      })),
    })),
  };
}

function toParty({ externalId, givenName, familyName, email, phone, address }: WorldProfile): Party {
  return { code: `${CRM_CODE_PREFIX}${externalId}`, name: `${givenName} ${familyName}`, email, phone, address };
}

function guestOf(order: WorldOrder): Party | null {
  if (order.profileIds.crm !== undefined) return null;
  const { givenName = 'Guest', familyName = order.orderNumber, email = null, phone = null } = order.guest ?? {};
  const address = order.guest?.address ?? null;
  return { code: guestCode(order), name: `${givenName} ${familyName}`, email, phone, address };
}

const guestCode = ({ orderNumber }: WorldOrder): string => `GUEST-${orderNumber}`;

const decimalOf = (minor: number): string => (minor / 100).toFixed(2);
