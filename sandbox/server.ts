import { createCalls } from './calls.ts';
import { toConfiguration, toEnvironment } from './configuration.ts';
import { createControl } from './control.ts';
import { createFaults } from './faults.ts';
import { listen } from './http-server.ts';
import type { Listening, WebHandler } from './http-server.ts';
import { createIssuer } from './issuer.ts';
import { noJournal, openJournal } from './journal.ts';
import type { Journal } from './journal.ts';
import { createHubspotVendor } from './vendors/crm-hubspot.ts';
import { createErpVendor } from './vendors/erp-business-central.ts';
import { createAmazonVendor } from './vendors/marketplace-amazon.ts';
import { createSquareVendor } from './vendors/pos-square.ts';
import { createWmsVendor } from './vendors/wms-connect.ts';
import { SandboxError } from './sandbox-error.ts';
import { createWebhookSender } from './webhook-sender.ts';
import type { WebhookSender } from './webhook-sender.ts';
import { homeOf } from './world-truth.ts';
import { buildWorld } from './world/build.ts';
import type { SandboxSystem, Scale, Vendor, World } from './world/types.ts';
import { CONSENTS_FILE, writeFiles } from './write-files.ts';

export interface SandboxOptions {
  /** @default 1 */
  readonly seed?: number;
  /** @default 'small' */
  readonly scale?: Scale;
  /** First port of the systems; the issuer takes the one below it. 0: any free ports. @default 4310 */
  readonly sandboxPort?: number;
  /** 0: any free port. @default 4300 */
  readonly controlPort?: number;
  readonly dataset?: string | undefined;
  readonly stores?: string | undefined;
  /** See {@link buildWorld}; given: no event outlives the process. @default the day of the world's first start in `home` */
  readonly builtAt?: string;
  /** Folder of the process's own files. */
  readonly home: string;
  /** @default Date.now */
  readonly nowMs?: () => number;
}

const HIGHEST_PORT = 65_535;

type Name = SandboxSystem | 'issuer' | 'control';

export interface Sandbox {
  readonly ports: Readonly<Record<Name, number>>;
  readonly urls: Readonly<Record<Name, string>>;
  readonly configFile: string;
  readonly consentsFile: string;
  /** Variables the configuration's credentials refer to. */
  readonly environment: Readonly<Record<string, string>>;
  /** The world as it is now; another object after a reset. */
  readonly world: () => World;
  readonly close: () => Promise<void>;
}

/** The fakes in the order of their ports. */
function createVendors(nowMs: () => number = Date.now): readonly Vendor[] {
  const options = { nowMs };
  return [
    createErpVendor(options),
    createWmsVendor(options),
    createSquareVendor(options),
    createHubspotVendor(options),
    createAmazonVendor(options),
  ];
}

/**
 * Starts the sandbox retailer: one port a system (ERP, WMS, POS, CRM, marketplace in this order), the issuer and the
 * control port, all on loopback, and writes the configuration that connects the product to them.
 * @throws {SandboxError} when a port is taken or a data file cannot be read; nothing is left listening then
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { seed = 1, scale = 'small', nowMs = Date.now } = options;
  const { dataset, stores } = options;
  const opening =
    options.builtAt === undefined
      ? openJournal({ home: options.home, world: [scale, seed, dataset, stores].map(String), nowMs: nowMs() })
      : noJournal(options.builtAt);
  const build = async () => buildWorld({ seed, scale, builtAt: (await opening).builtAt, dataset, stores });
  const vendors = createVendors(nowMs);
  const handlers = new Map<Name, WebHandler>();
  const [opened, built] = await Promise.allSettled([openPorts(vendors, options, handlers), build()]);
  if (opened.status === 'rejected') throw opened.reason;
  const listening = opened.value;
  const webhooks = createWebhookSender(vendors, nowMs);
  const close = async () => {
    webhooks.close();
    await Promise.all([...listening.values()].map((server) => server.close()));
  };
  try {
    if (built.status === 'rejected') throw built.reason;
    let world = built.value;
    const journal = await opening;
    journal.replay(world);
    webhooks.watch(world);
    const urls = mapValues(listening, ({ url }) => url);
    const rebuild = async () => {
      const before = world;
      world = await build();
      webhooks.watch(world);
      webhooks.clear();
      await journal.clear();
      stampChanges(before, world, new Date(nowMs()).toISOString());
    };
    const configuration = toConfiguration({
      world,
      vendors,
      urls,
      issuerUrl: urls.issuer,
      consentsFile: CONSENTS_FILE,
    });
    const [issuer, files] = await Promise.all([
      createIssuer({ url: urls.issuer, firstStoreId: firstStoreId(world), nowMs }),
      writeFiles({ home: options.home, configuration, consents: world.consents }),
    ]);
    mount(handlers, { vendors, issuer, world: () => world, rebuild, seed, nowMs, journal, webhooks });
    const environment = toEnvironment(vendors);
    return { ports: mapValues(listening, ({ port }) => port), urls, ...files, environment, world: () => world, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function mount(
  handlers: Map<Name, WebHandler>,
  parts: {
    readonly vendors: readonly Vendor[];
    readonly issuer: WebHandler;
    readonly world: () => World;
    readonly rebuild: () => Promise<void>;
    readonly seed: number;
    readonly nowMs: () => number;
    readonly journal: Journal;
    readonly webhooks: WebhookSender;
  },
): void {
  const calls = createCalls();
  const faults = createFaults(parts);
  for (const vendor of parts.vendors) {
    handlers.set(vendor.system, async (request) => {
      calls.count(vendor.system, vendor.operationOf(request));
      return faults.apply(vendor, request, () => vendor.handler(request, parts.world()));
    });
  }
  handlers.set('issuer', parts.issuer);
  handlers.set('control', createControl({ ...parts, calls, faults }));
}

/** All ports or none. Until its handler is mounted a port answers 503. */
async function openPorts(
  vendors: readonly Vendor[],
  { sandboxPort = 4310, controlPort = 4300 }: SandboxOptions,
  handlers: ReadonlyMap<Name, WebHandler>,
): Promise<ReadonlyMap<Name, Listening>> {
  const at = (offset: number) => (sandboxPort === 0 ? 0 : sandboxPort + offset);
  if (sandboxPort !== 0 && (sandboxPort < 2 || sandboxPort > HIGHEST_PORT - vendors.length + 1)) {
    throw new SandboxError(`--sandbox-port ${sandboxPort} leaves no room: it takes the port below and four above it`);
  }
  const wanted: readonly { readonly name: Name; readonly port: number; readonly flag: string }[] = [
    { name: 'issuer', port: at(-1), flag: '--sandbox-port' },
    ...vendors.map((vendor, index) => ({ name: vendor.system, port: at(index), flag: '--sandbox-port' })),
    { name: 'control', port: controlPort, flag: '--control-port' },
  ];
  const results = await Promise.allSettled(
    wanted.map(async (port) => {
      const handler: WebHandler = async (request) =>
        handlers.get(port.name)?.(request) ?? new Response(null, { status: 503 });
      return [port.name, await listen({ ...port, handler })] as const;
    }),
  );
  const open = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const refused = results.find((result) => result.status === 'rejected');
  if (refused === undefined) return new Map(open);
  await Promise.all(open.map(([, server]) => server.close()));
  throw refused.reason;
}

function mapValues<V>(
  listening: ReadonlyMap<Name, Listening>,
  of: (server: Listening) => V,
): Readonly<Record<Name, V>> {
  // Every name was opened, or opening has failed.
  return Object.fromEntries([...listening].map(([name, server]) => [name, of(server)])) as Record<Name, V>;
}

/** What a reset put back has changed now, as every system says of it: whoever asks for changes must hear of it. */
function stampChanges(before: World, after: World, at: string): void {
  for (const [key, row] of after.stock) {
    const was = before.stock.get(key);
    if (was?.onHand !== row.onHand || was.committed !== row.committed || was.incoming !== row.incoming) {
      row.changedAt = at;
    }
  }
  const stages = new Map(before.orders.map((order) => [order.orderNumber, order.stage]));
  for (const order of after.orders) if (stages.get(order.orderNumber) !== order.stage) order.updatedAt = at;
}

function firstStoreId(world: World): string {
  const store = world.places.find((place) => place.kind === 'STORE');
  return store === undefined ? '' : homeOf(store).locationId;
}
