import { MortarError } from '#platform/errors.ts';
import type { Database } from '#platform/database.ts';
import type { ChannelConfig } from '#schema/model/configuration.ts';
import type { MoneyFigure } from '#schema/model/figures.ts';
import type { CatalogTables } from './migrations.ts';

// A channel sells in one currency. A price in another one is no price of the channel: shown beside the others it would be
// taken for one of theirs, and nobody here knows a rate of exchange.

/** The currency a channel sells in, by channel, and how many items stand in another. */
export interface PriceCurrencies {
  readonly of: (channel: ChannelConfig) => string;
  /** Items by system whose price is in a currency that none of the channels of its prices sells in; those without are absent. */
  readonly wrongItems: () => Promise<ReadonlyMap<string, number>>;
}

export interface PriceCurrencyOptions {
  readonly database: Database;
  readonly channels: readonly ChannelConfig[];
  /** ISO 4217 code of the channels that state none. */
  readonly currency: string;
}

export function createPriceCurrencies({ database, channels, currency }: PriceCurrencyOptions): PriceCurrencies {
  const db = database.as<CatalogTables>().read;
  const of = (channel: ChannelConfig): string => channel.currency ?? currency;
  const soldIn = new Map<string, Set<string>>();
  for (const channel of channels) {
    for (const system of [channel.priceSystem, channel.listingSystem ?? channel.priceSystem]) {
      soldIn.set(system, (soldIn.get(system) ?? new Set()).add(of(channel)));
    }
  }
  return {
    of,
    async wrongItems() {
      const rows = await db
        .selectFrom('item_reference')
        .select(({ fn }) => ['system', 'currency', fn.countAll().as('count')])
        .where('currency', 'is not', null)
        .groupBy(['system', 'currency'])
        .execute();
      const wrong = rows.filter((row) => soldIn.get(row.system)?.has(row.currency ?? '') === false);
      const bySystem = Map.groupBy(wrong, ({ system }) => system);
      return new Map(
        [...bySystem].map(([system, own]) => [system, own.reduce((sum, { count }) => sum + Number(count), 0)]),
      );
    },
  };
}

/** The figure where it is in the currency; otherwise why it is not shown. */
export function inCurrency(figure: MoneyFigure, currency: string): MoneyFigure | MortarError {
  if (figure.value.currency === currency) return figure;
  const system = figure.provenance.source?.system;
  return new MortarError('UPSTREAM_CONTRACT', {
    message: `The price is in ${figure.value.currency}, and the channel sells in ${currency}.`,
    ...(system !== undefined && { system }),
  });
}
