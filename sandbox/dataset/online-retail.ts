import { SandboxError } from '#sandbox/sandbox-error.ts';
import { readCsv } from './csv.ts';
import type { CsvRow } from './csv.ts';

export interface DatasetProduct {
  readonly sku: string;
  readonly title: string;
  /** The price most lines carry, in pence. */
  readonly priceMinor: number;
}

export interface DatasetCustomer {
  readonly id: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
}

export interface DatasetInvoice {
  readonly number: string;
  readonly customerId: string | null;
  readonly atMs: number;
  /** A cancellation invoice (`C...`): its lines went back. */
  readonly refunded: boolean;
  readonly lines: readonly { readonly sku: string; readonly quantity: number; readonly unitPriceMinor: number }[];
}

export interface Dataset {
  readonly products: readonly DatasetProduct[];
  readonly customers: readonly DatasetCustomer[];
  readonly invoices: readonly DatasetInvoice[];
}

const COLUMNS = ['invoice', 'sku', 'description', 'quantity', 'ts', 'unit_price', 'customer_id', 'country'];
// Everything else is postage, fees, samples and manual corrections.
const PRODUCT_CODE = /^\d{5}[A-Z]{0,2}$/;

const COUNTRIES: Readonly<Record<string, string>> = {
  'United Kingdom': 'GB',
  Germany: 'DE',
  France: 'FR',
  EIRE: 'IE',
  Italy: 'IT',
  Portugal: 'PT',
  Netherlands: 'NL',
  Norway: 'NO',
  Spain: 'ES',
  Switzerland: 'CH',
  Belgium: 'BE',
  Australia: 'AU',
  Sweden: 'SE',
  Malta: 'MT',
  Finland: 'FI',
  Austria: 'AT',
  Denmark: 'DK',
  Poland: 'PL',
  Japan: 'JP',
  USA: 'US',
  Greece: 'GR',
  Iceland: 'IS',
  Cyprus: 'CY',
  'Channel Islands': 'JE',
};

interface Gathering {
  readonly titles: Map<string, string>;
  readonly prices: Map<string, Map<number, number>>;
  readonly customers: Map<string, string>;
  readonly invoices: Map<
    string,
    { -readonly [Key in keyof DatasetInvoice]: DatasetInvoice[Key] } & { lines: DatasetInvoice['lines'][number][] }
  >;
}

/**
 * Products, customers and invoices of the UCI "Online Retail" transactions, in order of code, id and number. Stock
 * corrections (negative lines outside a cancellation) and codes that are no products are left out.
 * @throws {SandboxError} naming file and line
 */
export async function readOnlineRetail(file: string): Promise<Dataset> {
  const gathering: Gathering = { titles: new Map(), prices: new Map(), customers: new Map(), invoices: new Map() };
  for await (const row of readCsv(file, COLUMNS)) gather(gathering, parseRow(file, row));
  if (gathering.invoices.size === 0) throw new SandboxError(`${file}: no product line found`);
  const byKey = <V>(map: ReadonlyMap<string, V>) => [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    products: byKey(gathering.titles).map(([sku, title]) => ({ sku, title, priceMinor: usualPrice(gathering, sku) })),
    customers: byKey(gathering.customers).map(([id, country]) => ({ id, country })),
    invoices: byKey(gathering.invoices).map(([, invoice]) => invoice),
  };
}

interface Line {
  readonly invoice: string;
  readonly sku: string;
  readonly title: string;
  readonly quantity: number;
  readonly atMs: number;
  readonly priceMinor: number;
  readonly customerId: string;
  readonly country: string;
}

function parseRow(file: string, { line, values }: CsvRow): Line {
  const quantity = Number(values['quantity']);
  const price = Number(values['unit_price']);
  const atMs = Date.parse(`${(values['ts'] ?? '').replace(' ', 'T')}Z`);
  const refuse = (what: string) => new SandboxError(`${file}:${line}: ${what}`);
  if (values['quantity'] === '' || !Number.isInteger(quantity))
    throw refuse(`quantity "${values['quantity']}" is no whole number`);
  if (values['unit_price'] === '' || !Number.isFinite(price))
    throw refuse(`unit_price "${values['unit_price']}" is no number`);
  if (Number.isNaN(atMs)) throw refuse(`ts "${values['ts']}" is no date and time`);
  if (values['invoice'] === '') throw refuse('invoice is empty');
  return {
    invoice: values['invoice'] ?? '',
    sku: (values['sku'] ?? '').trim().toUpperCase(),
    title: (values['description'] ?? '').trim(),
    quantity,
    atMs,
    priceMinor: Math.round(price * 100),
    customerId: values['customer_id'] ?? '',
    country: COUNTRIES[values['country'] ?? ''] ?? 'GB',
  };
}

function gather(gathering: Gathering, line: Line): void {
  const refunded = line.invoice.startsWith('C');
  if (!PRODUCT_CODE.test(line.sku) || line.priceMinor <= 0) return;
  if (refunded ? line.quantity >= 0 : line.quantity <= 0) return;
  if (line.title !== '') gathering.titles.set(line.sku, line.title);
  else if (!gathering.titles.has(line.sku)) gathering.titles.set(line.sku, `Item ${line.sku}`);
  const prices = gathering.prices.get(line.sku) ?? new Map<number, number>();
  gathering.prices.set(line.sku, prices.set(line.priceMinor, (prices.get(line.priceMinor) ?? 0) + 1));
  if (line.customerId !== '') gathering.customers.set(line.customerId, line.country);
  const invoice = gathering.invoices.get(line.invoice) ?? {
    number: line.invoice.replace(/^C/, ''),
    customerId: line.customerId === '' ? null : line.customerId,
    atMs: line.atMs,
    refunded,
    lines: [],
  };
  invoice.lines.push({ sku: line.sku, quantity: Math.abs(line.quantity), unitPriceMinor: line.priceMinor });
  gathering.invoices.set(line.invoice, invoice);
}

function usualPrice({ prices }: Gathering, sku: string): number {
  const counted = [...(prices.get(sku) ?? [])].toSorted(([a, many], [b, more]) => more - many || a - b);
  return counted[0]?.[0] ?? 0;
}
