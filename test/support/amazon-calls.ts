import { createAmazonVendor } from '#sandbox/vendors/marketplace-amazon.ts';
import type { Vendor, World } from '#sandbox/world/types.ts';
import { contractsAvailable, loadContract } from './contracts.ts';
import type { Contract } from './contracts.ts';
import { tinyWorld } from './tiny-world.ts';
import { createVendorCall } from './vendor-call.ts';
import type { Answer } from './vendor-call.ts';

const FILES = { fba: 'fbaInventory', listings: 'listingsItems_2021-08-01', v0: 'ordersV0', 2026: 'orders_2026' };

/** A fresh Amazon fake, signed in, whose every exchange is held against the stored contracts where they are present. */
export interface AmazonCalls {
  readonly vendor: Vendor;
  /** Calls with the ordinary access token, or another one. */
  readonly get: (world: World, path: string, accessToken?: string) => Promise<Answer>;
  readonly login: (overrides?: Readonly<Record<string, string>>) => Promise<Response>;
  /** A restricted data token for GET requests of a path. */
  readonly restricted: (world: World, path: string, dataElements?: readonly string[]) => Promise<string>;
  readonly advance: (ms: number) => void;
}

/** Opens one at the given instant. Cost: four contracts are loaded. */
export async function openAmazon(startAt = '2026-03-05T12:00:00.000Z'): Promise<AmazonCalls> {
  let nowMs = Date.parse(startAt);
  const vendor = createAmazonVendor({ nowMs: () => nowMs });
  const contracts = await loadContracts();
  const login = (overrides: Readonly<Record<string, string>> = {}) => signIn(vendor, overrides);
  const token = ((await (await login()).json()) as { access_token: string }).access_token;
  const contractOf = (path: string) => contracts.get(contractName(path)) ?? null;
  return {
    vendor,
    login,
    get: (world, path, accessToken = token) =>
      createVendorCall({ vendor, headers: () => ({ 'x-amz-access-token': accessToken }), contractOf })(
        world,
        'GET',
        path,
      ),
    restricted: async (world, path, dataElements) => {
      const call = createVendorCall({
        vendor,
        headers: () => ({ 'x-amz-access-token': token }),
        contractOf: () => null,
      });
      const resource = { method: 'GET', path, ...(dataElements === undefined ? {} : { dataElements }) };
      const body = { restrictedResources: [resource] };
      const answer = await call(world, 'POST', '/tokens/2021-03-01/restrictedDataToken', body);
      return String(answer.body.restrictedDataToken);
    },
    advance: (ms) => {
      nowMs += ms;
    },
  };
}

async function loadContracts(): Promise<ReadonlyMap<string, Contract>> {
  const contracts = new Map<string, Contract>();
  if (!contractsAvailable()) return contracts;
  for (const [name, file] of Object.entries(FILES)) {
    contracts.set(name, await loadContract(`amazon-sp-api/${file}.json`, { closed: true }));
  }
  return contracts;
}

function contractName(path: string): string {
  return path.split('/')[path.startsWith('/orders') ? 2 : 1]?.replace('2026-01-01', '2026') ?? '';
}

function signIn(vendor: Vendor, overrides: Readonly<Record<string, string>>): Promise<Response> {
  const { clientId = '', clientSecret = '', refreshToken = '' } = vendor.credentials;
  const form = {
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    client_id: clientId,
    client_secret: clientSecret,
  };
  const body = new URLSearchParams({ ...form, ...overrides });
  return vendor.handler(new Request('http://vendor.test/auth/o2/token', { method: 'POST', body }), tinyWorld());
}
