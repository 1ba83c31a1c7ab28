import type DataLoader from 'dataloader';

import type { OrderDirectory, OrderPage, OrderPageArguments, OrderView } from '#domain/order/order-directory.ts';
import type { OrderValueReader, OrderValues } from '#domain/order/order-values.ts';
import { batchLoader } from '#platform/references.ts';
import { type CustomerId, type SubjectId, toCustomerId, toOrderId } from '#schema/model/ids.ts';
import type { RequestContext } from '#schema/model/request.ts';

/** The loaded row of a Customer; `subjects` is what `@subject` reads. */
export interface CustomerRow {
  readonly id: CustomerId;
  readonly subjects: readonly SubjectId[];
}

/** Port of the identity domain: whom the caller may see, and under which id. */
export interface OrderCustomers {
  /** In input order; null: absent, or not the caller's. */
  readonly byIds: (ids: readonly CustomerId[], request: RequestContext) => Promise<readonly (CustomerRow | null)[]>;
  /** The customer each subject belongs to; in input order. */
  readonly customersOf: (
    subjects: readonly SubjectId[],
    request: RequestContext,
  ) => Promise<readonly (CustomerRow | null)[]>;
}

export interface CustomerOrdersKey {
  readonly subjects: readonly SubjectId[];
  readonly page: Pick<OrderPageArguments, 'first' | 'after'>;
}

/** Loaders of one request. */
export interface OrderLoaders {
  readonly orders: DataLoader<string, OrderView | null, string>;
  readonly values: DataLoader<OrderView, OrderValues | null, string>;
  readonly customers: DataLoader<string, CustomerRow | null, string>;
  readonly buyers: DataLoader<SubjectId, CustomerRow | null, string>;
  readonly pages: DataLoader<CustomerOrdersKey, OrderPage | null, string>;
}

export interface OrderLoaderDependencies {
  readonly directory: OrderDirectory;
  readonly values: OrderValueReader;
  readonly customers: OrderCustomers;
}

/** All orders of a page of customers in one call; the reader splits by system, the connector by the vendor's limit. */
const MAX_ORDERS = 10_000;

export function createOrderLoaders(
  { directory, values, customers }: OrderLoaderDependencies,
  request: RequestContext,
): OrderLoaders {
  return {
    orders: batchLoader<string, OrderView>(async (ids) => directory.byIds(ids.map(toOrderId), request)),
    values: batchLoader<OrderView, OrderValues>(async (orders) => values.read(orders, request), {
      maxKeys: MAX_ORDERS,
      cacheKey: (order) => order.id,
    }),
    customers: batchLoader<string, CustomerRow>(async (ids) => customers.byIds(ids.map(toCustomerId), request)),
    buyers: batchLoader<SubjectId, CustomerRow>(async (subjects) => customers.customersOf(subjects, request)),
    pages: batchLoader<CustomerOrdersKey, OrderPage>(async (keys) => readPages(directory, keys, request), {
      cacheKey: ({ subjects, page }) => [page.first, page.after, ...subjects].join(' '),
    }),
  };
}

/** One read for all customers that are asked for the same page. */
async function readPages(
  directory: OrderDirectory,
  keys: readonly CustomerOrdersKey[],
  request: RequestContext,
): Promise<readonly (OrderPage | Error)[]> {
  const answers = new Map<CustomerOrdersKey, OrderPage | Error>();
  const groups = Map.groupBy(keys, ({ page }) => `${page.first} ${page.after ?? ''}`);
  await Promise.all(
    [...groups.values()].map(async (group) => {
      const sets = group.map(({ subjects }) => subjects);
      try {
        const pages = await directory.pagesOf(sets, { ...group[0]!.page, filter: {} }, request);
        for (const [index, key] of group.entries()) answers.set(key, pages[index]!);
      } catch (error) {
        // A bad cursor of one selection must not cost the others their pages.
        for (const key of group)
          answers.set(key, error instanceof Error ? error : new Error('a page failed', { cause: error }));
      }
    }),
  );
  return keys.map((key) => answers.get(key)!);
}
