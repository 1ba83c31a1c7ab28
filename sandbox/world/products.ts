import type { DatasetProduct } from '#sandbox/dataset/online-retail.ts';
import { createPermutation, createRandom } from './random.ts';
import type { Random } from './random.ts';
import type { Scale, WorldProduct } from './types.ts';
import { ASSORTMENT, BRANDS, COLORS } from './words.ts';

const COUNTS: Readonly<Record<Scale, number>> = { small: 120, medium: 1_000, large: 4_000 };
const HOUR_MS = 3_600_000;

interface Kind {
  readonly category: string;
  readonly productType: string;
  readonly baseUnit: WorldProduct['baseUnit'];
  readonly hazardous: boolean;
}

interface Draft extends Kind {
  readonly sku: string;
  readonly title: string;
  readonly priceMinor: number;
}

/**
 * The assortment, in order of sku: about one in ten is not sold in stores, one in four is not listed on the marketplace,
 * and one in seven listings carries another code than the sku.
 */
export function buildProducts(options: {
  readonly seed: number;
  readonly scale: Scale;
  readonly builtAt: string;
  /** Real products instead of invented ones. */
  readonly dataset: readonly DatasetProduct[] | null;
}): readonly WorldProduct[] {
  const random = createRandom(options.seed, 'products');
  const drafts = options.dataset === null ? invent(random, COUNTS[options.scale]) : options.dataset.map(adopt);
  const gtinOf = createPermutation(options.seed, 'gtin', 10 ** 9);
  const asinOf = createPermutation(options.seed, 'asin', 32 ** 6);
  const builtAtMs = Date.parse(options.builtAt);
  return drafts.map((draft, index) => {
    const listed = !random.chance(0.25);
    const drawn = index < 5 || !random.chance(0.1);
    // Real sales name any product in any channel: the tills know them all.
    const inStores = drawn || options.dataset !== null;
    const storePrice = random.chance(0.15) ? draft.priceMinor + 100 : draft.priceMinor;
    return {
      ...draft,
      brand: random.pick(BRANDS),
      gtin: random.chance(0.06) ? null : withCheckDigit(`501${String(gtinOf(index)).padStart(9, '0')}`),
      storePriceMinor: storePrice,
      marketplacePriceMinor: draft.priceMinor + random.between(0, 250),
      currency: 'GBP',
      erpId: random.uuid(),
      posVariationId: inStores ? random.text(24) : null,
      asin: listed ? `B0${base32(asinOf(index), 8)}` : null,
      sellerSku: listed ? toSellerSku(draft.sku, random) : null,
      updatedAt: new Date(builtAtMs - random.between(1, 90 * 24) * HOUR_MS).toISOString(),
    };
  });
}

function invent(random: Random, count: number): readonly Draft[] {
  const kinds = Object.entries(ASSORTMENT).flatMap(([category, words]) => words.map((word) => toKind(category, word)));
  return Array.from({ length: count }, (_, index) => {
    // Every kind appears once before any repeats, so that a small world has hazardous goods and weighed goods too.
    const kind = kinds[index % kinds.length] as Kind;
    const series = Math.floor(index / kinds.length);
    const color = COLORS[series % COLORS.length] ?? '';
    const edition = series < COLORS.length ? '' : ` No. ${Math.floor(series / COLORS.length) + 1}`;
    return {
      ...kind,
      sku: `MG-${String(index + 1).padStart(5, '0')}`,
      title: `${kind.productType}, ${color}${edition}`,
      priceMinor: kind.baseUnit === 'PIECE' ? random.between(3, 120) * 100 - 1 : random.between(1, 9),
    };
  });
}

function toKind(category: string, word: string): Kind {
  const [productType = word, unit = ''] = word.split(/[:!]/);
  const baseUnit = unit === 'GRAM' || unit === 'MILLILITER' ? unit : 'PIECE';
  return { category, productType, baseUnit, hazardous: word.includes('!') };
}

function adopt(product: DatasetProduct): Draft {
  return { ...product, category: 'Gifts', productType: 'Gift', baseUnit: 'PIECE', hazardous: false };
}

/** What the retailer writes before some of its codes at Amazon. */
export const SELLER_SKU_PREFIX = 'AMZ-';

function toSellerSku(sku: string, random: Random): string {
  return random.weighted([
    [sku, 12],
    [sku.toLowerCase(), 1],
    [SELLER_SKU_PREFIX + sku, 1],
  ]);
}

/** GS1: weights 1 and 3 from the left of a GTIN-13. */
function withCheckDigit(digits: string): string {
  const sum = digits.split('').reduce((total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 1 : 3), 0);
  return `${digits}${(10 - (sum % 10)) % 10}`;
}

function base32(value: number, length: number): string {
  return value.toString(32).toUpperCase().padStart(length, '0');
}
