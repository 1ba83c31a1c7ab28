import {
  type Bound,
  type BoundCatalog,
  type BoundConsent,
  type BoundIdentity,
  type BoundOrder,
  catalogOf,
  consentOf,
  identityOf,
  orderOf,
  stockOf,
} from './domains.ts';
import { createStockWatch, type StockWatch } from '#domain/stock/stock-watch.ts';
import type { Stock } from '#domain/stock/stock.ts';

/** The domains, each made when it is first asked for: a process has only what its subgraphs need. */
export interface BoundDomains {
  readonly catalog: () => BoundCatalog;
  readonly stock: () => Stock;
  readonly stockWatch: () => StockWatch;
  readonly identity: () => BoundIdentity;
  readonly order: () => BoundOrder;
  readonly consent: () => BoundConsent;
  /** Closes those that were made; the last one first. */
  readonly close: () => Promise<void>;
}

export function bindDomains(bound: Bound): BoundDomains {
  const closers: (() => Promise<void>)[] = [];
  const catalog = once(() => {
    const made = catalogOf(bound);
    closers.push(made.close);
    return made;
  });
  const stock = once(() => {
    const made = stockOf(bound, catalog());
    closers.push(made.close);
    return made;
  });
  const stockWatch = once(() => {
    const { clock, logger } = bound.deps;
    const onError = (error: unknown) => logger.warn({ err: error }, 'watched stock could not be read');
    const made = createStockWatch({ look: stock().look, clock, onError });
    closers.push(made.close);
    return made;
  });
  const identity = once(() => identityOf(bound));
  return {
    catalog,
    stock,
    stockWatch,
    identity,
    order: once(() => orderOf(bound, { catalog: catalog(), identity: identity() })),
    consent: once(() => consentOf(bound, identity())),
    close: async () => {
      for (const close of closers.splice(0).toReversed()) await close();
    },
  };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}
