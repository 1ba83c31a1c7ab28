import { indexOf, systemKey } from '#sandbox/world/index-of.ts';
import type { World, WorldOrder, WorldOrderStage, WorldProduct } from '#sandbox/world/types.ts';
import type { Keyed } from './keyset.ts';
import { sortKeyed } from './keyset.ts';
import type { OdataRow } from './erp-odata.ts';
import { momentOf } from './world-views.ts';

const UNITS = { PIECE: 'PCS', GRAM: 'G', MILLILITER: 'ML', MILLIMETER: 'MM' } as const;

/** The collective customer of orders without an account. */
export const GUEST_CUSTOMER = 'GUEST';

const STATUS: Partial<Record<WorldOrderStage, string>> = { received: 'Draft', validated: 'In Review' };
const LEFT_THE_HOUSE = new Set<WorldOrderStage>(['shipped', 'delivered', 'collected', 'returnRequested', 'refunded']);

/** Items as the `item` entity of API v2.0; `brand` is a field of the retailer's own extension. Oldest change first. */
export function itemRows(world: World): readonly Keyed<OdataRow>[] {
  return momentOf(world, 'bc.items', () => {
    const totals = stockTotals(world);
    return sortKeyed(world.products.map((product) => keyed(toItem(product, totals))));
  });
}

/** Sales orders as the `salesOrder` entity of API v2.0 with their lines. Oldest change first. */
export function orderRows(world: World): readonly Keyed<OdataRow>[] {
  return momentOf(world, 'bc.orders', () =>
    sortKeyed(
      world.orders.flatMap((order) =>
        order.ids.erp === undefined ? [] : [keyed(toSalesOrder(world, order, order.ids.erp))],
      ),
    ),
  );
}

function keyed(row: OdataRow): Keyed<OdataRow> {
  return { at: Date.parse(String(row['lastModifiedDateTime'])), id: String(row['id']), value: row };
}

interface Total {
  onHand: number;
  changedAt: string;
}

/** Company-wide units: every place, committed units included, with the last change of any of them. */
function stockTotals(world: World): ReadonlyMap<string, Total> {
  const totals = new Map<string, Total>();
  for (const row of world.stock.values()) {
    const total = totals.get(row.sku);
    if (total === undefined) totals.set(row.sku, { onHand: row.onHand, changedAt: row.changedAt });
    else {
      total.onHand += row.onHand;
      if (row.changedAt > total.changedAt) total.changedAt = row.changedAt;
    }
  }
  return totals;
}

function toItem(product: WorldProduct, totals: ReadonlyMap<string, Total>): OdataRow {
  const total = totals.get(product.sku);
  const changedAt = total !== undefined && total.changedAt > product.updatedAt ? total.changedAt : product.updatedAt;
  return {
    '@odata.etag': `W/"${Buffer.from(changedAt).toString('base64url')}"`,
    id: product.erpId,
    number: product.sku,
    displayName: product.title,
    displayName2: '',
    type: 'Inventory',
    itemCategoryCode: product.category.toUpperCase(),
    blocked: false,
    gtin: product.gtin ?? '',
    inventory: total?.onHand ?? 0,
    unitPrice: pounds(product.priceMinor),
    priceIncludesTax: true,
    unitCost: pounds(Math.round(product.priceMinor * 0.55)),
    baseUnitOfMeasureCode: UNITS[product.baseUnit],
    lastModifiedDateTime: changedAt,
    brand: product.brand,
    productType: product.productType,
    hazardous: product.hazardous,
  };
}

function toSalesOrder(world: World, order: WorldOrder, id: string): OdataRow {
  const total = order.lines.reduce((sum, line) => sum + line.quantity * line.unitPriceMinor, 0);
  const account = order.profileIds.crm;
  return {
    '@odata.etag': `W/"${Buffer.from(order.updatedAt).toString('base64url')}"`,
    id,
    number: `SO-${order.orderNumber}`,
    externalDocumentNumber: order.orderNumber,
    orderDate: order.placedAt.slice(0, 10),
    customerNumber: account ?? GUEST_CUSTOMER,
    ...shipTo(world, order),
    // The local currency is an empty code.
    currencyCode: order.currency,
    pricesIncludeTax: true,
    shortcutDimension1Code: order.channel.toUpperCase(),
    partialShipping: false,
    totalAmountIncludingTax: pounds(total),
    fullyShipped: LEFT_THE_HOUSE.has(order.stage),
    status: STATUS[order.stage] ?? 'Open',
    lastModifiedDateTime: order.updatedAt,
    salesOrderLines: order.lines.map((line, index) => toLine(world, { order, id, line, index })),
  };
}

function shipTo(world: World, order: WorldOrder): OdataRow {
  const { guest } = order;
  const profile = indexOf(world).profileBySystemId.get(systemKey('crm', order.profileIds.crm ?? ''));
  const person = guest ?? profile;
  if (person === undefined || person === null) return {};
  return {
    shipToName: `${person.givenName} ${person.familyName}`,
    shipToContact: '',
    shipToAddressLine1: person.address?.street ?? '',
    shipToAddressLine2: '',
    shipToCity: person.address?.city ?? '',
    shipToState: '',
    shipToPostCode: person.address?.postalCode ?? '',
    shipToCountry: person.address?.country ?? '',
    phoneNumber: person.phone ?? '',
    email: person.email ?? '',
  };
}

function toLine(
  world: World,
  { order, id, line, index }: { order: WorldOrder; id: string; line: WorldOrder['lines'][number]; index: number },
): OdataRow {
  const product = indexOf(world).productBySku.get(line.sku);
  const shipped = LEFT_THE_HOUSE.has(order.stage) ? line.quantity : 0;
  return {
    id: `${id.slice(0, 24)}${String(index + 1).padStart(12, '0')}`,
    documentId: id,
    sequence: (index + 1) * 10_000,
    itemId: product?.erpId ?? null,
    lineType: 'Item',
    lineObjectNumber: line.sku,
    description: product?.title ?? '',
    unitOfMeasureCode: product === undefined ? '' : UNITS[product.baseUnit],
    quantity: line.quantity,
    unitPrice: pounds(line.unitPriceMinor),
    amountIncludingTax: pounds(line.quantity * line.unitPriceMinor),
    shippedQuantity: shipped,
  };
}

function pounds(minor: number): number {
  return minor / 100;
}
