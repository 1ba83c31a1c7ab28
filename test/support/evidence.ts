import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';

/** One measured or counted fact: the shape of `--json` for benchmarks and proofs alike. */
export interface EvidenceRow {
  /** The row's name as the issue lists it. */
  readonly name: string;
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  /** How many times it was executed. */
  readonly n: number;
  readonly median: number | null;
  /** Interquartile range; null where a count has none. */
  readonly spread: number | null;
  readonly baseline?: number;
  readonly ratio?: number;
  readonly target?: number;
  readonly ok: boolean;
  readonly seed?: number;
  readonly machine: string;
}

/** What a proof or benchmark reports while it works and when it is done. */
export interface Reporter {
  readonly seed: number;
  readonly short: boolean;
  /** The rule to remove; null: none. */
  readonly sabotage: string | null;
  readonly progress: (text: string) => void;
  readonly row: (row: Omit<EvidenceRow, 'machine' | 'seed'>) => void;
}

export interface Evidence {
  readonly name: string;
  /** What it shows, in one sentence. */
  readonly summary: string;
  /** Rules that `--sabotage` may remove, each of which must turn it red. */
  readonly sabotages?: readonly string[];
  /** It runs the product's code in this process: a rule must be removed before anything is imported. @default false */
  readonly inProcess?: boolean;
  readonly run: (report: Reporter) => Promise<void>;
}

interface Options {
  readonly names: readonly string[];
  readonly short: boolean;
  readonly json: string | null;
  readonly sabotage: string | null;
  readonly seed: number;
}

/** Evidence by the group that asks for it; a group's name stands for all of its rows. */
export type Catalogue = Readonly<Record<string, readonly Evidence[]>>;

/** Parses `[NAME...] [--short] [--json FILE] [--sabotage RULE] [--seed N]`; anything else is refused with a sentence. */
function parseOptions(arguments_: readonly string[], groups: Catalogue): Options {
  const catalogue = Object.values(groups).flat();
  const names: string[] = [];
  let short = false;
  let json: string | null = null;
  let sabotage: string | null = null;
  let seed = 1;
  const rest = [...arguments_];
  const valueOf = (flag: string): string => {
    const value = rest.shift();
    if (value === undefined) throw new Error(`${flag} needs a value`);
    return value;
  };
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    if (argument === '--short') short = true;
    else if (argument === '--json') json = valueOf(argument);
    else if (argument === '--sabotage') sabotage = valueOf(argument);
    else if (argument === '--seed') seed = Number(valueOf(argument));
    else if (catalogue.some((evidence) => evidence.name === argument)) names.push(argument);
    else if (Object.hasOwn(groups, argument)) names.push(...(groups[argument] ?? []).map(({ name }) => name));
    else throw new Error(`unknown argument ${argument}; ${describeNames(groups)}`);
  }
  const rules = catalogue.flatMap((evidence) => evidence.sabotages ?? []);
  if (sabotage !== null && !rules.includes(sabotage))
    throw new Error(`unknown rule ${sabotage}; rules are: ${rules.join(', ')}`);
  return { names, short, json, sabotage, seed };
}

function describeNames(groups: Catalogue): string {
  const lines = Object.entries(groups).map(([group, rows]) => `  ${group}: ${rows.map(({ name }) => name).join(', ')}`);
  return `names are groups and their rows:\n${lines.join('\n')}`;
}

function describeMachine(): string {
  const model = cpus()[0]?.model ?? 'unknown processor';
  const memoryGib = Math.round(totalmem() / 2 ** 30);
  return `${availableParallelism()} cores, ${model}, ${memoryGib} GiB, Node ${process.version}, load ${loadavg()[0]?.toFixed(2)}`;
}

/** Middle value and interquartile range of a sample; NaN of an empty one. */
export function summarize(sample: readonly number[]): {
  readonly median: number;
  readonly spread: number;
  readonly p95: number;
} {
  const sorted = sample.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return { median: at(0.5), spread: at(0.75) - at(0.25), p95: at(0.95) };
}

/** Runs the chosen evidence, prints a table and returns the exit code: 1 when any row failed or a run threw. */
export async function runEvidence(title: string, groups: Catalogue, arguments_: readonly string[]): Promise<number> {
  const catalogue = Object.values(groups).flat();
  let options: Options;
  try {
    options = parseOptions(arguments_, groups);
  } catch (error) {
    process.stderr.write(`${title}: ${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
  const machine = describeMachine();
  const rows: EvidenceRow[] = [];
  const { sabotage } = options;
  let chosen =
    options.names.length === 0 ? catalogue : catalogue.filter((evidence) => options.names.includes(evidence.name));
  if (sabotage !== null) chosen = chosen.filter((evidence) => evidence.sabotages?.includes(sabotage) === true);
  for (const evidence of chosen) {
    process.stderr.write(`\n${evidence.name}: ${evidence.summary}\n`);
    const startedAt = Date.now();
    try {
      await evidence.run({
        seed: options.seed,
        short: options.short,
        sabotage,
        progress: (text) =>
          process.stderr.write(`  ${((Date.now() - startedAt) / 1000).toFixed(0).padStart(4)} s  ${text}\n`),
        row: (row) => rows.push({ ...row, seed: options.seed, machine }),
      });
    } catch (error) {
      process.stderr.write(`  failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      rows.push({
        name: evidence.name,
        metric: 'completed',
        value: 0,
        unit: 'runs',
        n: 1,
        median: null,
        spread: null,
        ok: false,
        seed: options.seed,
        machine,
      });
    }
  }
  print(title, machine, rows);
  endSoon(title);
  if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`);
  return rows.length > 0 && rows.every((row) => row.ok) ? 0 : 1;
}

/** A run that threw may have left servers open: they must not keep the process, and whoever waits for it, for ever. */
function endSoon(title: string): void {
  const end = (): never => {
    process.stderr.write(`${title}: something was left open; the process is ended\n`);
    process.exit();
  };
  setTimeout(end, 10_000).unref();
}

function print(title: string, machine: string, rows: readonly EvidenceRow[]): void {
  const cells = rows.map((row) => [
    row.ok ? 'ok' : 'FAILED',
    row.name,
    row.metric,
    `${round(row.value)} ${row.unit}`,
    `n=${row.n}`,
    row.median === null ? '' : `median ${round(row.median)} ± ${round(row.spread ?? 0)}`,
    row.baseline === undefined ? '' : `baseline ${round(row.baseline)}`,
    row.target === undefined ? '' : `target ${round(row.target)}`,
  ]);
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  process.stdout.write(`\n${title} on ${machine}\n`);
  for (const line of cells)
    process.stdout.write(
      `${line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    );
}

function round(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 2 : 1);
}
