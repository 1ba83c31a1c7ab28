import type { SystemId } from '#schema/model/ids.ts';
import type { Provenance } from '#schema/model/figures.ts';
import type { AudienceRecord, MarketingConsentRecord, SignalRecord } from '#schema/model/outreach.ts';
import type { ItemRecord, LoyaltyRecord, ProfileRecord, StockReading } from '#schema/model/records.ts';
import type { RateRecord, ServicePointRecord, TrackingRecord } from '#schema/model/shipping.ts';
import type { ConnectedSystem, LocationSource } from '#schema/model/sources.ts';

import { bindBatchRead } from './batch.ts';
import type { LocationsDefinition, Ports } from './definition.ts';
import { seal, sealLocation, sealOrder } from './draft.ts';
import type { Draft, Origin } from './draft.ts';
import { toUpstreamError } from './failure.ts';
import { bindFeed } from './feed.ts';
import { readPages } from './pages.ts';
import type { Runtime } from './runtime.ts';
import { bindWrite } from './write.ts';

/** The definition's ports as those of the connected system. */
export function bindPorts<S>(
  ports: Ports<S>,
  runtime: Runtime<S>,
): Omit<
  ConnectedSystem,
  'system' | 'connector' | 'capabilities' | 'webhook' | 'ports' | 'health' | 'budget' | 'close'
> {
  const { system, connector } = runtime;
  const named = { system, connector };
  return {
    ...(ports.items && { items: { ...named, itemsByCode: bindBatchRead(ports.items, runtime, seal<ItemRecord>) } }),
    ...(ports.stock && {
      stock: { ...named, stockByItem: bindBatchRead(ports.stock, runtime, sealAll<StockReading>) },
    }),
    ...(ports.locations && { locations: bindLocations(ports.locations, runtime) }),
    ...(ports.profiles && {
      profiles: { ...named, profilesById: bindBatchRead(ports.profiles, runtime, seal<ProfileRecord>) },
    }),
    ...(ports.loyalty && {
      loyalty: { ...named, loyaltyByCustomer: bindBatchRead(ports.loyalty, runtime, sealAll<LoyaltyRecord>) },
    }),
    ...(ports.orders && { orders: { ...named, ordersById: bindBatchRead(ports.orders, runtime, sealOrder) } }),
    ...(ports.rates && { rates: { ...named, ratesFor: bindBatchRead(ports.rates, runtime, sealAll<RateRecord>) } }),
    ...(ports.tracking && {
      tracking: { ...named, trackingOf: bindBatchRead(ports.tracking, runtime, seal<TrackingRecord>) },
    }),
    ...(ports.servicePoints && {
      servicePoints: {
        ...named,
        servicePointsNear: bindBatchRead(ports.servicePoints, runtime, sealAll<ServicePointRecord>),
      },
    }),
    ...(ports.marketingConsents && {
      marketingConsents: {
        ...named,
        consentsByProfile: bindBatchRead(ports.marketingConsents, runtime, sealAll<MarketingConsentRecord>),
      },
    }),
    ...(ports.audiences && {
      audiences: { ...named, audiencesById: bindBatchRead(ports.audiences, runtime, seal<AudienceRecord>) },
    }),
    ...(ports.marketingConsentSink && {
      marketingConsentSink: { ...named, writeConsents: bindWrite(ports.marketingConsentSink, runtime) },
    }),
    ...(ports.audienceSink && { audienceSink: { ...named, writeMembers: bindWrite(ports.audienceSink, runtime) } }),
    ...(ports.stockMoveSink && { stockMoveSink: { ...named, writeMoves: bindWrite(ports.stockMoveSink, runtime) } }),
    ...(ports.stockOfferSink && {
      stockOfferSink: { ...named, publishOffers: bindWrite(ports.stockOfferSink, runtime) },
    }),
    ...(ports.profileSink && { profileSink: { ...named, writeProfiles: bindWrite(ports.profileSink, runtime) } }),
    ...(ports.erasureSink && { erasureSink: { ...named, eraseProfiles: bindWrite(ports.erasureSink, runtime) } }),
    ...(ports.orderStepSink && { orderStepSink: { ...named, writeSteps: bindWrite(ports.orderStepSink, runtime) } }),
    ...(ports.signalFeed && { signalFeed: bindFeed(ports.signalFeed, runtime, seal<SignalRecord>) }),
    ...(ports.itemFeed && { itemFeed: bindFeed(ports.itemFeed, runtime, seal<ItemRecord>) }),
    ...(ports.stockFeed && { stockFeed: bindFeed(ports.stockFeed, runtime, seal<StockReading>) }),
    ...(ports.profileFeed && { profileFeed: bindFeed(ports.profileFeed, runtime, seal<ProfileRecord>) }),
    ...(ports.loyaltyFeed && { loyaltyFeed: bindFeed(ports.loyaltyFeed, runtime, seal<LoyaltyRecord>) }),
    ...(ports.orderFeed && { orderFeed: bindFeed(ports.orderFeed, runtime, sealOrder) }),
  };
}

function sealAll<V extends { readonly system: SystemId; readonly provenance: Provenance }>(
  drafts: readonly Draft<V>[],
  origin: Origin,
): readonly V[] {
  return drafts.map((draft) => seal(draft, origin));
}

// The page type is the definition's own affair.
// eslint-disable-next-line typescript/no-explicit-any
function bindLocations<S>(definition: LocationsDefinition<S, any>, runtime: Runtime<S>): LocationSource {
  const { system, connector } = runtime;
  return {
    system,
    connector,
    locations: async (scope) => {
      const context = runtime.context();
      const first = definition.request(context);
      try {
        const more = definition.more;
        const next = more && ((body: unknown, previous: typeof first) => more(body, previous, context));
        const bodies = await readPages(
          runtime,
          { first, page: definition.page, more: next, timeoutMs: definition.timeoutMs },
          scope,
        );
        return definition.decode(bodies, context).map((draft) => sealLocation(draft, system));
      } catch (thrown) {
        throw toUpstreamError(thrown, system, first.operation);
      }
    },
  };
}
