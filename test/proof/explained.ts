import type { Answer } from '#test/support/product-client.ts';

type Leaves = ReadonlyMap<string, unknown>;

/** How a degraded answer differs from a whole one. */
export interface Comparison {
  /** Leaves of either answer. */
  readonly leaves: number;
  /** Leaves that differ, each of which the answer explains by an error, a reason or a flag. */
  readonly explained: number;
  /** Paths of leaves that differ without a word about it. */
  readonly unexplained: readonly string[];
}

/**
 * Compares leaf by leaf. A leaf may differ only where the answer says so: an error of its selection, an entry of
 * `extensions.provenance`, a reason beside it, or the flag of its own figure; each naming the system concerned.
 */
export function compare(whole: Answer, degraded: Answer, system: string): Comparison {
  const [before, after] = [leavesOf(whole.data), leavesOf(degraded.data)];
  const told = [
    ...degraded.errors
      .filter(({ extensions }) => extensions['system'] === system)
      .map(({ path }) => selectionOf(path ?? [])),
    ...degraded.provenance
      .filter((source) => source.system === system)
      .flatMap(({ paths }) => paths.map((path) => selectionOf(path as readonly (string | number)[]))),
  ];
  const paths = new Set([...before.keys(), ...after.keys()]);
  const differing = [...paths].filter((path) => before.get(path) !== after.get(path) && !isFlag(path));
  const isSaid = (path: string): boolean => isTold(path, told) || isFlagged(path, after);
  // A place that could not be asked gets a row that says so: then what names the row needs no flag of its own.
  const isOfSaidRow = (path: string): boolean => {
    const row = path.slice(0, path.lastIndexOf(']') + 1);
    const isNew = row !== '' && ![...before.keys()].some((known) => known.startsWith(`${row}.`));
    return isNew && [...after.keys()].some((other) => other.startsWith(`${row}.`) && isSaid(other));
  };
  const unexplained = differing.filter((path) => !isSaid(path) && !isOfSaidRow(path));
  return { leaves: paths.size, explained: differing.length - unexplained.length, unexplained };
}

/** Provenance, reasons and times of reading: what tells, and what is different each time. */
function isFlag(path: string): boolean {
  return /\.(provenance\.|reason$)/.test(path) || path.endsWith('.reason');
}

function isTold(path: string, told: readonly string[]): boolean {
  const selection = path.replaceAll(/\[[^\]]*\]/g, '');
  return told.some((prefix) => selection === prefix || selection.startsWith(`${prefix}.`));
}

/** The figure's own flag, or the reason beside it. */
function isFlagged(path: string, leaves: Leaves): boolean {
  const parts = path.split('.');
  return parts.some((_, length) => {
    const parent = parts.slice(0, length).join('.');
    return (
      leaves.get(`${parent}.provenance.degraded`) === true ||
      leaves.get(`${parent}.provenance.stale`) === true ||
      leaves.get(`${parent}.reason`) === 'UPSTREAM_UNAVAILABLE'
    );
  });
}

function selectionOf(path: readonly (string | number)[]): string {
  return `$.${path.filter((step) => typeof step === 'string').join('.')}`;
}

/** Every leaf by its path; rows of lists go by what identifies them, so that a missing row does not shift the others. */
function leavesOf(value: unknown, path = '$', into = new Map<string, unknown>()): Leaves {
  if (Array.isArray(value)) {
    value.forEach((entry: unknown, index) => leavesOf(entry, `${path}[${keyOf(entry) ?? index}]`, into));
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, entry] of Object.entries(value)) leavesOf(entry, `${path}.${name}`, into);
  } else {
    into.set(path, value);
  }
  return into;
}

function keyOf(entry: unknown): string | null {
  if (typeof entry !== 'object' || entry === null) return null;
  const { id, sku, location } = entry as { id?: unknown; sku?: unknown; location?: { id?: unknown } };
  const key = id ?? location?.id ?? sku;
  // A dot would read like the next step of the path.
  return typeof key === 'string' ? key.replaceAll('.', '_') : null;
}
