import { expect, it } from 'vitest';

import { useProduct } from '#test/support/use-product.ts';

const product = useProduct();
const LONDON = { latitude: 51.5072, longitude: -0.1276 };

it('lists stores near a point, nearest first, with distance and hours', async () => {
  const { ask, token, world } = product();
  const truth = await world();
  const answer = await ask(
    `query($point: GeoPointInput!) { locations(near: { point: $point, withinKm: 500 }, kinds: [STORE], first: 5) {
       nodes { id name kind zone distanceKm openNow nextOpening timeZone position { latitude longitude } } } }`,
    { token: await token('storefront'), variables: { point: LONDON } },
  );
  expect(answer.errors).toEqual([]);
  const nodes: { name: string; distanceKm: number; openNow: boolean; nextOpening: string | null }[] =
    answer.data.locations.nodes;
  const expected = truth.places
    .filter(({ kind }) => kind === 'STORE')
    .map((place) => ({ name: place.name, km: distanceKm(LONDON, place) }))
    .toSorted((a, b) => a.km - b.km)
    .slice(0, 5);
  expect(nodes.map(({ name }) => name)).toEqual(expected.map(({ name }) => name));
  nodes.forEach((node, index) => {
    expect(Math.abs(node.distanceKm - (expected[index]?.km ?? 0))).toBeLessThan(0.6);
    expect(typeof node.openNow).toBe('boolean');
    expect(node.nextOpening === null).toBe(node.openNow);
  });
});

it('knows every place by its kind, and one by its id', async () => {
  const { ask, token, world } = product();
  const places = (await world()).places;
  const list = await ask('{ locations(first: 100) { totalCount nodes { id kind name } } }', {
    token: await token('storefront'),
  });
  expect(list.errors).toEqual([]);
  const byId = new Map(places.map((place) => [place.home.locationId, place]));
  expect(list.data.locations.nodes).toHaveLength(places.length);
  for (const { id, kind, name } of list.data.locations.nodes) expect({ kind, name }).toMatchObject(pick(byId.get(id)));
  const [first] = list.data.locations.nodes;
  const one = await ask('query($id: ID!) { location(id: $id) { id name } none: location(id: "loc_none") { id } }', {
    token: await token('storefront'),
    variables: { id: first.id },
  });
  expect(one.data).toEqual({ location: { id: first.id, name: first.name }, none: null });
});

it('names every system with its connector, state, capabilities and unmatched items', async () => {
  const { ask, token } = product();
  const answer = await ask('{ systems { id connector state lagSeconds capabilities unmatchedItems } }', {
    token: await token('analyst'),
  });
  expect(answer.errors).toEqual([]);
  expect(answer.data.systems).toMatchObject([
    { id: 'erp', connector: 'erp-business-central', state: 'UP' },
    { id: 'wms', connector: 'wms-connect', state: 'UP' },
    { id: 'pos', connector: 'pos-square', state: 'UP' },
    { id: 'crm', connector: 'crm-hubspot', state: 'UP' },
    { id: 'marketplace', connector: 'marketplace-amazon', state: 'UP' },
  ]);
  for (const { capabilities, lagSeconds } of answer.data.systems) {
    expect(capabilities.length).toBeGreaterThan(0);
    expect(lagSeconds === null || lagSeconds >= 0).toBe(true);
  }
});

it('lists channels and purposes to any valid token', async () => {
  const { ask, token } = product();
  const answer = await ask('{ channels { id kind } purposes { id title mechanism dpvIri examples } }', {
    token: await token('storefront'),
  });
  expect(answer.errors).toEqual([]);
  expect(answer.data.channels).toEqual([
    { id: 'web', kind: 'WEB' },
    { id: 'app', kind: 'APP' },
    { id: 'store', kind: 'STORE' },
    { id: 'amazon', kind: 'MARKETPLACE' },
  ]);
  expect(answer.data.purposes).toHaveLength(8);
});

function pick(place: { readonly kind: string; readonly name: string } | undefined) {
  return { kind: place?.kind, name: place?.name };
}

/** Great-circle distance on a sphere of 6,371 km. */
function distanceKm(a: typeof LONDON, b: typeof LONDON): number {
  const rad = (degrees: number): number => (degrees * Math.PI) / 180;
  const half =
    Math.sin(rad(b.latitude - a.latitude) / 2) ** 2 +
    Math.cos(rad(a.latitude)) * Math.cos(rad(b.latitude)) * Math.sin(rad(b.longitude - a.longitude) / 2) ** 2;
  return 2 * 6_371 * Math.asin(Math.sqrt(half));
}
