import type { ChannelConfig } from '#schema/model/configuration.ts';
import type { MoneyFigure, Provenance, QuantityFigure } from '#schema/model/figures.ts';
import type { ItemRecord } from '#schema/model/records.ts';
import type { Slot } from '#schema/model/sources.ts';
import type { ItemReference } from './crosswalk.ts';

/** A product offered under an own listing of a channel, as the channel's system last said. */
export interface ListingRecord {
  readonly channel: ChannelConfig;
  readonly externalId: string;
  readonly price: MoneyFigure | null;
  readonly publishedQuantity: QuantityFigure | null;
}

export interface ListingOptions {
  readonly channels: readonly ChannelConfig[];
  /** Snapshots of a system's items by its own ids, in order. */
  readonly items: (system: string, externalIds: readonly string[]) => Promise<readonly (ItemRecord | null)[]>;
}

/** Listings per product, in the order of `references`; channels in configured order. Cost: one read a listing channel. */
export async function loadListings(
  references: readonly (readonly ItemReference[])[],
  { channels, items }: ListingOptions,
): Promise<readonly (readonly ListingRecord[])[]> {
  const perChannel = await Promise.all(
    channels.map(async (channel) => {
      const ids = references.flat().flatMap((of) => (of.system === channel.listingSystem ? [of.externalId] : []));
      const records = ids.length === 0 ? [] : await items(channel.listingSystem ?? '', ids);
      const present = records.filter((record) => record !== null);
      return new Map(present.map((record) => [record.externalId, toListing(channel, record)]));
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

function toListing(channel: ChannelConfig, record: ItemRecord): ListingRecord {
  const { externalId, price, publishedQuantity, provenance } = record;
  return {
    channel,
    externalId,
    price: price === null ? null : { value: price, provenance },
    publishedQuantity: toQuantity(publishedQuantity, provenance),
  };
}

/** The price a record states; null when it states none. */
export function toPrice(slot: Slot<ItemRecord>): Slot<MoneyFigure> {
  if (slot === null || slot instanceof Error) return slot;
  return slot.price === null ? null : { value: slot.price, provenance: slot.provenance };
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
