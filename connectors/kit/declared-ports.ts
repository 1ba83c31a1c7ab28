import { PORT_NAMES } from '#schema/model/sources.ts';
import type { DeclaredPort, PortName } from '#schema/model/sources.ts';

import type { Ports } from './definition.ts';

/** What a definition offers of each kind of records, in the order of PORT_NAMES; kinds it does not know are absent. */
export function declaredPorts<S>(ports: Ports<S>): readonly DeclaredPort[] {
  const { locations, stock, stockFeed, signalFeed } = ports;
  const offered: Record<PortName, readonly [read: Read | undefined, feed: Feed | undefined]> = {
    items: [ports.items, ports.itemFeed],
    stock: [stock, stockFeed],
    // Stores move seldom: their facts have no age of their own.
    locations: [locations && { freshnessMs: null }, undefined],
    profiles: [ports.profiles, ports.profileFeed],
    loyalty: [ports.loyalty, ports.loyaltyFeed],
    orders: [ports.orders, ports.orderFeed],
    rates: [ports.rates, undefined],
    tracking: [ports.tracking, undefined],
    servicePoints: [ports.servicePoints, undefined],
    marketingConsents: [ports.marketingConsents, undefined],
    audiences: [ports.audiences, undefined],
    signals: [undefined, signalFeed],
  };
  return PORT_NAMES.flatMap((port) => {
    const [read, feed] = offered[port];
    if (read === undefined && feed === undefined) return [];
    return {
      port,
      live: read !== undefined,
      feed: feed?.feed ?? null,
      freshnessMs: read?.freshnessMs ?? null,
      nets: port === 'stock' ? (stock?.nets ?? stockFeed?.nets ?? []) : [],
    };
  });
}

interface Read {
  readonly freshnessMs: number | null;
}

interface Feed {
  readonly feed: string;
}
