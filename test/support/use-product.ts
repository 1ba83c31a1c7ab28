import { afterAll, beforeAll } from 'vitest';

import type { Product, ProductOptions } from './product-client.ts';
import { startProduct } from './product.ts';

const START_WITHIN_MS = 90_000;

/** One running product for the tests of a file: started before the first, ended with all its processes after the last. */
export function useProduct(
  options: ProductOptions | (() => ProductOptions | Promise<ProductOptions>) = {},
): () => Product {
  let product: Product | null = null;
  beforeAll(async () => {
    product = await startProduct(typeof options === 'function' ? await options() : options);
  }, START_WITHIN_MS);
  afterAll(async () => {
    await product?.[Symbol.asyncDispose]();
  }, START_WITHIN_MS);
  return () => {
    if (product === null) throw new Error('the product is not running');
    return product;
  };
}
