import type { ChannelConfig } from '#schema/model/configuration.ts';
import type { MoneyFigure, Provenance, QuantityFigure } from '#schema/model/figures.ts';
import type { ItemRecord } from '#schema/model/records.ts';
import type { Slot } from '#schema/model/sources.ts';
import type { MortarError } from '#platform/errors.ts';
import type { ItemReference } from './crosswalk.ts';
import { inCurrency } from './price-currencies.ts';

/** A product offered under an own listing of a channel, as the channel's system last said. */
export interface ListingRecord {
  readonly channel: ChannelConfig;
  readonly externalId: string;
  /** An Error where it is in another currency than the channel sells in. */
  readonly price: MoneyFigure | MortarError | null;
  readonly publishedQuantity: QuantityFigure | null;
}

export interface ListingOptions {
  readonly channels: readonly ChannelConfig[];
  /** ISO 4217 code of what a channel sells in. */
  readonly currencyOf: (channel: ChannelConfig) => string;
  /** Snapshots of a system's items by its own ids, in order. */
  readonly items: (system: string, externalIds: readonly string[]) => Promise<readonly (ItemRecord | null)[]>;
}

/** Listings per product, in the order of `references`; channels in configured order. Cost: one read a listing channel. */
export async function loadListings(
  references: readonly (readonly ItemReference[])[],
  { channels, currencyOf, items }: ListingOptions,
): Promise<readonly (readonly ListingRecord[])[]> {
  const perChannel = await Promise.all(
    channels.map(async (channel) => {
      const ids = references.flat().flatMap((of) => (of.system === channel.listingSystem ? [of.externalId] : []));
      const records = ids.length === 0 ? [] : await items(channel.listingSystem ?? '', ids);
      const present = records.filter((record) => record !== null);
      return new Map(present.map((record) => [record.externalId, toListing(channel, record, currencyOf(channel))]));
    }),
  );
  return references.map((own) =>
    channels.flatMap((channel, at) =>
      own
        .filter(({ system }) => system === channel.listingSystem)
        .flatMap(({ externalId }) => perChannel[at]?.get(externalId) ?? []),
    ),
  );
}

function toListing(channel: ChannelConfig, record: ItemRecord, currency: string): ListingRecord {
  const { externalId, price, publishedQuantity, provenance } = record;
  return {
    channel,
    externalId,
    price: price === null ? null : inCurrency({ value: price, provenance }, currency),
    publishedQuantity: toQuantity(publishedQuantity, provenance),
  };
}

/** The price a record states; null when it states none, an Error when it is in another currency. */
export function toPrice(slot: Slot<ItemRecord>, currency: string): Slot<MoneyFigure> {
  if (slot === null || slot instanceof Error) return slot;
  return slot.price === null ? null : inCurrency({ value: slot.price, provenance: slot.provenance }, currency);
}

/** What the record says the company has in all; named so that nobody takes it for a location's stock. */
export function toCompanyTotal({ companyQuantity, provenance }: ItemRecord): QuantityFigure | null {
  const source = provenance.source === null ? null : { ...provenance.source, reference: 'company-total' };
  return toQuantity(companyQuantity, { ...provenance, source });
}

/** GraphQL integers have 32 bits; a figure beyond is absurd and shown nowhere. */
function toQuantity(value: number | null, provenance: Provenance): QuantityFigure | null {
  return value === null || !Number.isInteger(value) || Math.abs(value) > 2_147_483_647
    ? null
    : { value, bound: null, provenance };
}
