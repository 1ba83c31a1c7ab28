import { isDeepStrictEqual } from 'node:util';
import { Kind, OperationTypeNode } from 'graphql';

import type { Outcome, Question } from './contestants.ts';
import { createClientPaths } from '#gateway/executor/shape/visible-keys.ts';
import { fragmentsOf } from '#gateway/auth/document-coordinates.ts';

/** Differences from the oracle that are ours on purpose. */
export const ACCEPTED = {
  'hidden-key':
    'The oracle tells errors of keys and required fields the client did not select; ours tells them at the row, where the client can see something.',
  'promoted-null':
    'The oracle tells a promoted null or a value that does not fit only in extensions.valueCompletion, and not at all beside other errors; ours always tells it in errors.',
  'misplaced-by-oracle':
    'The oracle counts rows that a fetch left out when it maps the index of an entity to a path, or leaves the index open (@); graphql itself over the same values has the error where ours has it, or it is the one index that fits.',
  'data-lost-by-oracle':
    'The oracle answers no data, or null, where graphql itself over the same values answers what ours does: it lets a subgraph that knows an interface as an object overwrite the concrete __typename.',
  'runtime-nullability':
    'A null is promoted as the type of the row demands, and told; the oracle goes by the interface the client selected it through, which may allow it.',
} as const;
export type AcceptedDifference = keyof typeof ACCEPTED;

export interface Comparison {
  readonly accepted: readonly AcceptedDifference[];
  /** What nobody may accept; empty: equal or better. */
  readonly wrong: readonly string[];
}

export interface Compared {
  readonly question: Question;
  readonly ours: Outcome;
  readonly oracle: Outcome;
  readonly truth: Outcome;
  /** Rows are unknown to some subgraphs: the truth has values that nobody can fetch, and cannot say which errors are right. */
  readonly partial: boolean;
}

/** Data equal, errors at the same paths or better. */
export function compare({ question, ours, oracle, truth, partial }: Compared): Comparison {
  const accepted = new Set<AcceptedDifference>();
  const wrong: string[] = [];
  if (!isDeepStrictEqual(ours.data, oracle.data)) {
    if (isAsTrue({ question, ours, oracle, truth, partial })) accepted.add('data-lost-by-oracle');
    else if (isToldPromotion(ours, oracle)) accepted.add('runtime-nullability');
    else wrong.push('data differs');
  }
  const mine = new Set(ours.paths);
  const theirs = new Set(oracle.paths.map((path) => closed(path, question, mine)));
  if (oracle.paths.some((path) => !theirs.has(path))) accepted.add('misplaced-by-oracle');
  // Where rows are unknown the oracle's indices are off and graphql itself knows too much to say whose are right: there
  // the field decides, whatever the row.
  const isElsewhere = (path: string, others: ReadonlySet<string>): boolean =>
    partial
      ? [...others].some((other) => path === '(none)' || fieldOf(other) === fieldOf(path))
      : truth.paths.includes(path);
  const hidden = new Set([...theirs].flatMap((path) => hiddenRow(question, path) ?? []));
  for (const path of theirs) {
    if (mine.has(path)) continue;
    const row = hiddenRow(question, path);
    if (row !== null) accepted.add('hidden-key');
    else if (partial ? isElsewhere(path, mine) : !truth.paths.includes(path)) accepted.add('misplaced-by-oracle');
    else wrong.push(`no error at ${path}`);
  }
  for (const path of mine) {
    if (theirs.has(path)) continue;
    if (isElsewhere(path, theirs)) accepted.add('misplaced-by-oracle');
    else if (hidden.has(path)) accepted.add('hidden-key');
    // Both at once: of a key nobody selected, at another row.
    else if ([...hidden].some((row) => fieldOf(row) === fieldOf(path))) accepted.add('misplaced-by-oracle');
    else if (oracle.told.includes(path)) accepted.add('promoted-null');
    else if (theirs.size > 0 && at(ours.data, path) === null) accepted.add('promoted-null');
    // The telling of that null.
    else if (accepted.has('runtime-nullability') && at(ours.data, path) === null) continue;
    else wrong.push(`an error at ${path} that nobody else has`);
  }
  return { accepted: [...accepted], wrong };
}

/** A path without its indices. */
function fieldOf(path: string): string {
  return path
    .split('.')
    .filter((step) => !/^(\d+|@)$/.test(step))
    .join('.');
}

/** Ours is what graphql itself answers; with unknown rows, what it answers with nulls here and there, and no less than the oracle. */
function isAsTrue({ question: { document }, ours, oracle, truth, partial }: Compared): boolean {
  const operation = document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
  const mutates = operation?.operation === OperationTypeNode.MUTATION;
  // The planner joins fields of Mutation that stand side by side in one subgraph; what others know of their rows is read
  // after the last of them. Which rows there are is the same, and all else the oracle has is the same.
  const [mine, real] = mutates ? [blanked(ours.data), blanked(truth.data)] : [ours.data, truth.data];
  if (partial ? !covers(real, mine) : !isDeepStrictEqual(mine, real)) return false;
  return covers(ours.data, oracle.data) || (!partial && !mutates);
}

/** The data without what its leaves say. */
function blanked(data: unknown): unknown {
  return JSON.parse(
    JSON.stringify(data, (_key, value: unknown) => (typeof value === 'object' || value === undefined ? value : 0)),
  );
}

/** An error's path of the oracle with the open index (`@`) that fits one of ours, if one does. */
function closed(path: string, question: Question, mine: ReadonlySet<string>): string {
  if (!path.includes('.@.')) return path;
  const places = new RegExp(`^${path.replaceAll('.', '\\.').replaceAll('@', '\\d+')}$`);
  const fitting = [...mine].flatMap((told) => {
    const whole = told.split('.').length < path.split('.').length ? filled(told, path) : told;
    return places.test(whole) && (mine.has(whole) || hiddenRow(question, whole) === told) ? [whole] : [];
  });
  return fitting[0] ?? path;
}

/** The open path with the indices of a path of ours that ends before it. */
function filled(told: string, open: string): string {
  const steps = told.split('.');
  return open
    .split('.')
    .map((step, index) => (step === '@' ? (steps[index] ?? step) : step))
    .join('.');
}

/** Ours is the oracle's answer with nulls at places of which an error at or below each tells. */
function isToldPromotion(ours: Outcome, oracle: Outcome): boolean {
  if (!covers(oracle.data, ours.data)) return false;
  const nulls: string[] = [];
  const walk = (whole: unknown, part: unknown, path: string): void => {
    if (typeof whole !== 'object' || whole === null) return;
    if (part === null || part === undefined) nulls.push(path);
    else if (typeof part === 'object')
      for (const [key, value] of Object.entries(whole))
        walk(value, Reflect.get(part, key), path === '' ? key : `${path}.${key}`);
  };
  walk(oracle.data, ours.data, '');
  return nulls.every((path) => ours.paths.some((told) => told === path || told.startsWith(`${path}.`)));
}

/** The part is the whole, with nulls here and there. */
function covers(whole: unknown, part: unknown): boolean {
  if (part === null || part === undefined) return true;
  if (Array.isArray(part) && Array.isArray(whole))
    return part.length === whole.length && part.every((entry, index) => covers(whole[index], entry));
  if (typeof part !== 'object' || typeof whole !== 'object' || whole === null) return part === whole;
  return Object.entries(part).every(([key, value]) => covers(Reflect.get(whole, key), value));
}

/** Where ours tells an error at a path the client did not select; null: it did. */
function hiddenRow({ document }: Question, path: string): string | null {
  const operation = document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
  if (operation === undefined || path === '(none)') return null;
  const steps = path.split('.').map((step) => (/^\d+$/.test(step) ? Number(step) : step));
  const visible = createClientPaths(operation.selectionSet, fragmentsOf(document)).visible(steps);
  return visible.length === steps.length ? null : visible.join('.');
}

/** The value at a path, or the null on the way. */
function at(data: unknown, path: string): unknown {
  let value = data;
  for (const step of path.split('.')) {
    if (typeof value !== 'object' || value === null) return null;
    value = Reflect.get(value, step) ?? null;
  }
  return value;
}
