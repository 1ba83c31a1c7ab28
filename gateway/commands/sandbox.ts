import type { Sandbox } from '#sandbox/server.ts';

/** Flags of `mortar sandbox`. */
export interface SandboxFlags {
  readonly seed: number;
  readonly scale: 'small' | 'medium' | 'large';
  readonly sandboxPort: number;
  readonly controlPort: number;
  readonly dataset?: string | undefined;
  readonly stores?: string | undefined;
  readonly home: string;
}

const NAMES = {
  erp: 'ERP (Business Central)',
  wms: 'WMS (ShipEngine Connect)',
  pos: 'POS (Square)',
  crm: 'CRM (HubSpot)',
  marketplace: 'Marketplace (Amazon SP-API)',
  issuer: 'Token issuer',
  control: 'Control port',
} as const;

/**
 * Runs the fake retailer until it is told to stop. At a terminal it prints where everything is; started by `mortar serve`
 * it says so over IPC (`{kind: 'ready', configFile, environment, urls}` or `{kind: 'error', message}`) and ends with its
 * parent. Loads the sandbox only now: it is no part of an installation without development packages.
 */
export async function runSandbox(flags: SandboxFlags): Promise<void> {
  // Before anything slow: a parent that dies while the world is built must not leave us behind.
  process.once('disconnect', () => process.exit(0));
  try {
    const { startSandbox } = await loadSandbox();
    const sandbox = await startSandbox(flags);
    stopOnSignal(sandbox);
    const { configFile, environment, urls } = sandbox;
    if (process.send === undefined) process.stdout.write(describe(sandbox));
    else process.send({ kind: 'ready', configFile, environment, urls });
  } catch (error) {
    const message = error instanceof Error ? error.message : 'unknown cause';
    await report(message);
    process.exit(1);
  }
}

/** The sandbox's modules; rejects where it is not installed. */
export async function loadSandbox() {
  return import('#sandbox/server.ts');
}

function stopOnSignal(sandbox: Sandbox): void {
  const stop = (): void => {
    sandbox.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

/** Resolves when the parent has the message: leaving earlier would lose it. */
function report(message: string): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) process.stderr.write(`mortar sandbox: ${message}\n`, () => resolve());
    else process.send({ kind: 'error', message }, () => resolve());
  });
}

function describe({ urls, configFile, consentsFile, environment, world }: Sandbox): string {
  const { people, products, orders, seed, scale } = world();
  const rows = Object.entries(NAMES).map(
    ([name, title]) => `  ${title.padEnd(28)} ${urls[name as keyof typeof NAMES]}`,
  );
  return [
    '',
    `  Sandbox retailer (seed ${seed}, ${scale}): ${people.length} people, ${products.length} products, ${orders.length} orders`,
    '',
    ...rows,
    '',
    `  Configuration    ${configFile}`,
    `  Past decisions   ${consentsFile}`,
    '',
    '  A gateway of your own (npm start -- --config …) needs the credentials it names:',
    '',
    ...Object.entries(environment).map(([name, value]) => `  export ${name}='${value}'`),
    '',
    '  Ctrl-C stops it.',
    '',
    '',
  ].join('\n');
}
