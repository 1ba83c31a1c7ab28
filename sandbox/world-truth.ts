import { locationIdOf, toSystemId } from '#schema/model/ids.ts';
import type { SandboxSystem, World, WorldPlace } from './world/types.ts';

const AUTHORITIES: Readonly<Record<WorldPlace['kind'], SandboxSystem>> = {
  STORE: 'pos',
  WAREHOUSE: 'wms',
  SUPPLIER: 'wms',
  MARKETPLACE_WAREHOUSE: 'marketplace',
};

/** The system whose figures count for a place, and the place's id there and in the graph. */
export function homeOf(place: WorldPlace): {
  readonly system: SandboxSystem;
  readonly externalId: string;
  readonly locationId: string;
} {
  const system = AUTHORITIES[place.kind];
  const externalId = place.ids[system] ?? place.code;
  return { system, externalId, locationId: locationIdOf({ system: toSystemId(system), externalId }) };
}

/** What `GET /world` answers: everything that is so, for proofs and tests. The product never reads it. */
export type WorldTruth = ReturnType<typeof toWorldTruth>;

/** Rows in the world's own order. `people` name their profiles by (system, externalId); profiles carry the values. */
export function toWorldTruth(world: World) {
  const homes = new Map(world.places.map((place) => [place.code, homeOf(place)]));
  return {
    seed: world.seed,
    scale: world.scale,
    builtAt: world.builtAt,
    sequence: world.sequence,
    places: world.places.map((place) => ({ ...place, home: homeOf(place) })),
    products: world.products,
    people: world.people.map(({ profiles, ...person }) => ({
      ...person,
      profiles: profiles.map(({ system, externalId }) => ({ system, externalId })),
    })),
    profiles: world.profiles,
    loyalty: world.loyalty,
    stock: [...world.stock.values()].map((row) => ({ ...row, authority: homes.get(row.place) ?? null })),
    orders: world.orders,
    consents: world.consents,
  };
}
