import type { FetchDataRewrite } from '@apollo/query-planner';

import { type AnswerFields, mergeFields } from './answer-fields.ts';
import { isRow, ownValue } from './row.ts';
import type { TypeRelations } from './type-relations.ts';

const TYPE_STEP = '... on ';

/** Names rows whose name a subgraph was not asked and did not tell. */
export interface RowNaming {
  readonly kind: 'RowNaming';
  /** To the rows' `__typename`. */
  readonly path: readonly string[];
  readonly typeName: string;
}

/** A rewrite of the plan, or our own. */
export type Rewrite = FetchDataRewrite | RowNaming;

/**
 * Applies rewrites in place: `__typename` of interface objects on representations, on answers response keys that had to be
 * renamed, and names nobody asked. An object without `__typename` is of type `typeName`; without one, it counts as of
 * every type.
 */
// oxlint-disable-next-line max-params -- called for every entity of every answer
export function applyRewrites(
  rewrites: readonly Rewrite[],
  value: unknown,
  types: TypeRelations,
  typeName: string | null = null,
): void {
  for (const rewrite of rewrites) visit(value, { rewrite, types, typeName, index: 0 });
}

interface At {
  readonly rewrite: Rewrite;
  readonly types: TypeRelations;
  /** Of an object that tells none; null: nobody knows. */
  readonly typeName: string | null;
  readonly index: number;
}

function visit(value: unknown, at: At): void {
  if (Array.isArray(value)) {
    for (const entry of value) visit(entry, at);
    return;
  }
  const step = at.rewrite.path[at.index];
  if (!isRow(value) || step === undefined) return;
  const next = { ...at, index: at.index + 1 };
  if (step.startsWith(TYPE_STEP)) {
    const told = ownValue(value, '__typename');
    const name = typeof told === 'string' ? told : at.typeName;
    if (name === null || at.types.isA(name, step.slice(TYPE_STEP.length))) visit(value, next);
  } else if (next.index < at.rewrite.path.length) {
    visit(ownValue(value, step), { ...next, typeName: null });
  } else {
    rewriteField(value, step, at.rewrite);
  }
}

function rewriteField(row: object, key: string, rewrite: Rewrite): void {
  const set = (name: string, value: unknown): void => {
    Object.defineProperty(row, name, { value, enumerable: true, configurable: true, writable: true });
  };
  if (rewrite.kind === 'ValueSetter') return set(key, rewrite.setValueTo);
  const value = ownValue(row, key);
  if (rewrite.kind === 'RowNaming') {
    if (value === undefined || value === null) set(key, rewrite.typeName);
    return;
  }
  if (value === undefined) return;
  set(rewrite.renameKeyTo, value);
  Reflect.deleteProperty(row, key);
}

/** Makes room for the keys that rewrites of the answer bring. */
export function addRewrittenFields(fields: AnswerFields, rewrites: readonly Rewrite[]): void {
  for (const { path, ...rewrite } of rewrites) {
    const names = path.filter((step) => !step.startsWith(TYPE_STEP));
    const last = names.at(-1);
    let within: AnswerFields | null = fields;
    for (const name of names.slice(0, -1)) within = within?.get(name)?.fields ?? null;
    const renamed = last === undefined ? undefined : within?.get(last);
    if (within === null || last === undefined) continue;
    if (rewrite.kind === 'KeyRenamer' && renamed !== undefined)
      within.set(
        rewrite.renameKeyTo,
        mergeFields(within.get(rewrite.renameKeyTo), { ...renamed, key: rewrite.renameKeyTo }),
      );
    else if (rewrite.kind !== 'KeyRenamer' && renamed === undefined)
      within.set(last, { key: last, fields: null, always: false });
  }
}

/** The path of an error in an answer, in terms of the keys after the answer's rewrites. */
export function rewritePath(
  path: readonly (string | number)[],
  rewrites: readonly Rewrite[],
): readonly (string | number)[] {
  for (const rewrite of rewrites) {
    if (rewrite.kind !== 'KeyRenamer') continue;
    const names = rewrite.path.filter((step) => !step.startsWith(TYPE_STEP));
    const at = path.flatMap((step, index) => (typeof step === 'string' ? [index] : []));
    const last = at[names.length - 1];
    if (last !== undefined && names.every((name, index) => path[at[index] ?? -1] === name))
      return path.with(last, rewrite.renameKeyTo);
  }
  return path;
}
