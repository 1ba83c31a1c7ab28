import { homeOf } from './world-truth.ts';
import { SANDBOX_AUDIENCE } from './issuer.ts';
import type { SandboxSystem, Vendor, World, WorldPlace } from './world/types.ts';
import { SANDBOX_RECIPIENT } from './world/consents.ts';
import { SELLER_SKU_PREFIX } from './world/products.ts';

export interface ConfigurationOptions {
  readonly world: World;
  readonly vendors: readonly Vendor[];
  /** Address of each system. */
  readonly urls: Readonly<Record<SandboxSystem, string>>;
  readonly issuerUrl: string;
  /** Path of the past decisions, from the configuration file's folder. */
  readonly consentsFile: string;
}

/** The content of the sandbox's mortar.config.yaml. Secrets are named, as in any deployment, by environment variable. */
export function toConfiguration({ world, vendors, urls, issuerUrl, consentsFile }: ConfigurationOptions): object {
  return {
    issuer: { url: issuerUrl, audience: SANDBOX_AUDIENCE },
    systems: vendors.map((vendor) => toSystem(world, vendor, urls[vendor.system])),
    retail: toRetail(world),
    imports: { consents: [consentsFile] },
  };
}

/** The variables the configuration's credentials refer to. */
export function toEnvironment(vendors: readonly Vendor[]): Readonly<Record<string, string>> {
  const pairs = vendors.flatMap((vendor) =>
    Object.entries(vendor.credentials).map(([name, value]) => [variableOf(vendor, name), value] as const),
  );
  return Object.fromEntries(pairs);
}

function variableOf({ system }: Vendor, credential: string): string {
  const words = credential.replaceAll(/([a-z])([A-Z])/g, '$1_$2');
  return `SANDBOX_${system}_${words}`.toUpperCase();
}

function toSystem(world: World, vendor: Vendor, url: string): object {
  const fba = world.places.find((place) => place.kind === 'MARKETPLACE_WAREHOUSE');
  // Amazon tells what its warehouses hold, not which warehouse: all of them are one location of the configuration.
  const stockLocation =
    vendor.system === 'marketplace' && fba !== undefined ? { stockLocation: homeOf(fba).externalId } : {};
  return {
    id: vendor.system,
    connector: vendor.connector,
    url,
    credentials: Object.fromEntries(
      Object.keys(vendor.credentials).map((name) => [name, `\${${variableOf(vendor, name)}}`]),
    ),
    options: { ...vendor.options, ...stockLocation },
  };
}

function toRetail(world: World): object {
  const ours = ['STORE', 'WAREHOUSE', 'SUPPLIER'];
  return {
    currency: 'GBP',
    country: 'GB',
    channels: [
      { id: 'web', name: 'Web shop', kind: 'WEB', priceSystem: 'erp', locationKinds: ours, bufferUnits: 1 },
      { id: 'app', name: 'App', kind: 'APP', priceSystem: 'erp', locationKinds: ours, bufferUnits: 1 },
      { id: 'store', name: 'Stores', kind: 'STORE', priceSystem: 'pos', locationKinds: ['STORE'] },
      {
        id: 'amazon',
        name: 'Amazon',
        kind: 'MARKETPLACE',
        priceSystem: 'marketplace',
        listingSystem: 'marketplace',
        locationKinds: ['MARKETPLACE_WAREHOUSE'],
      },
    ],
    locations: world.places.map(toLocation),
    authorities: [
      { system: 'pos', locationKinds: ['STORE'] },
      { system: 'wms', locationKinds: ['WAREHOUSE', 'SUPPLIER'] },
      { system: 'marketplace', locationKinds: ['MARKETPLACE_WAREHOUSE'] },
    ],
    codePrefixes: { marketplace: [SELLER_SKU_PREFIX] },
    recipients: [{ id: SANDBOX_RECIPIENT, name: 'Amazon Marketplace' }],
  };
}

/** The tills describe the stores but for their zone; the other systems know no more than an id. */
function toLocation(place: WorldPlace): object {
  const { system, externalId } = homeOf(place);
  if (place.kind === 'STORE') return { system, externalId, zone: place.zone };
  return {
    system,
    externalId,
    name: place.name,
    kind: place.kind,
    zone: place.zone,
    latitude: place.latitude,
    longitude: place.longitude,
    postalCode: place.postalCode,
    country: place.country,
    timeZone: place.timeZone,
    openingPeriods: place.openingPeriods,
    ...(place.kind === 'MARKETPLACE_WAREHOUSE' ? { onlyChannels: ['amazon'] } : {}),
  };
}
