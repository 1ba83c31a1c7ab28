import { type MortarProcess, spawnMortar } from './mortar-process.ts';
import { type Variables, waitForOutput } from './product-parts.ts';

/** A sandbox that runs by itself, as a person starts it for a graph in parts. */
export interface OwnSandbox {
  readonly configFile: string;
  /** What the processes over it need, as it prints it. */
  readonly environment: Variables;
  readonly control: string;
  readonly systems: Readonly<Record<string, string>>;
}

const SYSTEMS = { erp: 'ERP', wms: 'WMS', pos: 'POS', crm: 'CRM', marketplace: 'Marketplace' } as const;

/** Starts `mortar sandbox` on free ports and reads what it prints; it joins `runs`. */
export async function startOwnSandbox(flags: readonly string[], runs: MortarProcess[]): Promise<OwnSandbox> {
  const run = spawnMortar({ arguments: ['sandbox', '--sandbox-port=0', '--control-port=0', ...flags] });
  runs.push(run);
  await waitForOutput(run, /Ctrl-C stops it/);
  const text = run.stdout();
  const read = (pattern: RegExp): string => pattern.exec(text)?.[1] ?? '';
  const urlOf = (title: string): string => read(new RegExp(`^ {2}${title}.*? (http://\\S+)$`, 'm'));
  return {
    configFile: read(/^ {2}Configuration +(\S+)$/m),
    environment: Object.fromEntries(
      [...text.matchAll(/^ {2}export (\w+)='(.*)'$/gm)].map(([, name = '', value = '']) => [name, value]),
    ),
    control: urlOf('Control port'),
    systems: Object.fromEntries(Object.entries(SYSTEMS).map(([id, title]) => [id, urlOf(title)])),
  };
}
