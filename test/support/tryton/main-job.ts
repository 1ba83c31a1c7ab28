import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { parse, stringify } from 'yaml';
import { z } from 'zod';

import { startSandbox } from '#sandbox/server.ts';
import type { Product } from '#test/support/product-client.ts';
import { startProduct } from '#test/support/product.ts';
import { type Tryton, startTryton, trytonBuiltAt } from './trytond.ts';

const configuration = z.looseObject({
  systems: z.array(z.looseObject({ id: z.string() })),
  retail: z.looseObject({
    locations: z.array(z.looseObject({ system: z.string(), externalId: z.string() })),
    authorities: z.array(z.looseObject({ system: z.string() })),
  }),
  imports: z.object({ consents: z.array(z.string()) }),
});

/** The retailer with Tryton as its ERP and its warehouses; tills, CRM and marketplace stay those of the sandbox. */
export interface TrytonRetailer extends AsyncDisposable {
  readonly tryton: Tryton;
  readonly configFile: string;
  /** Variables the configuration's credentials refer to. */
  readonly environment: Readonly<Record<string, string>>;
  readonly issuer: string;
  readonly control: string;
}

/** Starts Tryton and the sandbox, both with the same world, and writes the configuration that connects a product to them. */
export async function startTrytonRetailer(): Promise<TrytonRetailer> {
  const tryton = await startTryton();
  const home = await mkdtemp(join(tmpdir(), 'mortar-tryton-job-'));
  const close = async (): Promise<void> => {
    await tryton[Symbol.asyncDispose]();
    await rm(home, { recursive: true, force: true });
  };
  try {
    const sandbox = await startSandbox({ sandboxPort: 0, controlPort: 0, home, builtAt: trytonBuiltAt() });
    const written: unknown = parse(await readFile(sandbox.configFile, 'utf8'));
    const changed = withTryton(configuration.parse(written), tryton, sandbox.consentsFile);
    const configFile = join(home, 'mortar.config.yaml');
    await writeFile(configFile, stringify(changed, { aliasDuplicateObjects: false }));
    const { login, password } = tryton.credentials;
    return {
      tryton,
      configFile,
      environment: { ...sandbox.environment, TRYTON_LOGIN: login, TRYTON_PASSWORD: password },
      issuer: sandbox.urls.issuer,
      control: sandbox.urls.control,
      [Symbol.asyncDispose]: async () => {
        await sandbox.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Tryton instead of the systems `erp` and `wms`: one entry, its warehouses by Tryton's ids, and its word for them. */
function withTryton(given: z.infer<typeof configuration>, tryton: Tryton, consentsFile: string): object {
  const warehouseOf = new Map(
    tryton.world.places.flatMap(({ code, ids }): (readonly [string, string])[] =>
      ids.wms === undefined ? [] : [[ids.wms, String(tryton.ids.warehouses[code])]],
    ),
  );
  const entry = {
    id: 'erp',
    connector: 'erp-tryton',
    url: tryton.url,
    credentials: { login: '${TRYTON_LOGIN}', password: '${TRYTON_PASSWORD}' },
    options: tryton.options,
  };
  const ours = ({ system }: { readonly system: string }): boolean => system === 'wms';
  return {
    ...given,
    systems: [entry, ...given.systems.filter(({ id }) => id !== 'erp' && id !== 'wms')],
    retail: {
      ...given.retail,
      locations: given.retail.locations.map((place) =>
        ours(place) ? { ...place, system: 'erp', externalId: warehouseOf.get(place.externalId) } : place,
      ),
      authorities: given.retail.authorities.map((rule) => (ours(rule) ? { ...rule, system: 'erp' } : rule)),
    },
    imports: { consents: [consentsFile] },
  };
}

/** The product over {@link startTrytonRetailer}, with everything read once that is kept by a feed. */
export async function startTrytonProduct(retailer: TrytonRetailer): Promise<Product> {
  const product = await startProduct({
    arguments: [`--config=${retailer.configFile}`],
    environment: retailer.environment,
    control: retailer.control,
  });
  try {
    await waitForFeeds(product);
    return product;
  } catch (error) {
    await product[Symbol.asyncDispose]();
    throw error;
  }
}

/** Until every feed of every system was read to its end. */
async function waitForFeeds(product: Product): Promise<void> {
  const token = await product.token('analyst');
  const until = Date.now() + FEEDS_WITHIN_MS;
  for (;;) {
    const answer = await product.ask('{ systems { id lagSeconds } }', { token });
    const systems: readonly { readonly id: string; readonly lagSeconds: number | null }[] = answer.data?.systems ?? [];
    const open = systems.filter(({ lagSeconds }) => lagSeconds === null).map(({ id }) => id);
    if (systems.length > 0 && open.length === 0) return;
    if (Date.now() > until) throw new Error(`feeds are not read yet: ${open.join(', ')} ${answer.text.slice(0, 500)}`);
    await sleep(100);
  }
}

const FEEDS_WITHIN_MS = 120_000;
