import type { FetchDataRewrite } from '@apollo/query-planner';

import type { AnswerField, AnswerFields } from './answer-fields.ts';
import { isRow, ownValue } from './row.ts';
import type { TypeRelations } from './type-relations.ts';

const TYPE_STEP = '... on ';

/**
 * Applies a plan's rewrites in place: `__typename` of interface objects on representations, response keys that had to be
 * renamed on answers. An object without `__typename` counts as of every type.
 */
export function applyRewrites(rewrites: readonly FetchDataRewrite[], value: unknown, types: TypeRelations): void {
  for (const rewrite of rewrites) visit(value, { rewrite, types, index: 0 });
}

interface At {
  readonly rewrite: FetchDataRewrite;
  readonly types: TypeRelations;
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
    const name = ownValue(value, '__typename');
    if (typeof name !== 'string' || at.types.isA(name, step.slice(TYPE_STEP.length))) visit(value, next);
  } else if (next.index < at.rewrite.path.length) {
    visit(ownValue(value, step), next);
  } else {
    rewriteField(value, step, at.rewrite);
  }
}

function rewriteField(row: object, key: string, rewrite: FetchDataRewrite): void {
  const set = (name: string, value: unknown): void => {
    Object.defineProperty(row, name, { value, enumerable: true, configurable: true, writable: true });
  };
  if (rewrite.kind === 'ValueSetter') return set(key, rewrite.setValueTo);
  const value = ownValue(row, key);
  if (value === undefined) return;
  set(rewrite.renameKeyTo, value);
  Reflect.deleteProperty(row, key);
}

/** Makes room for the keys that rewrites of the answer bring. */
export function addRewrittenFields(fields: AnswerFields, rewrites: readonly FetchDataRewrite[]): void {
  for (const { path, ...rewrite } of rewrites) {
    const names = path.filter((step) => !step.startsWith(TYPE_STEP));
    const last = names.at(-1);
    let within: AnswerFields | null = fields;
    for (const name of names.slice(0, -1)) within = within?.get(name)?.fields ?? null;
    const renamed = last === undefined ? undefined : within?.get(last);
    if (within === null || last === undefined) continue;
    if (rewrite.kind === 'KeyRenamer' && renamed !== undefined)
      within.set(rewrite.renameKeyTo, merged(rewrite.renameKeyTo, within.get(rewrite.renameKeyTo), renamed));
    else if (rewrite.kind === 'ValueSetter' && renamed === undefined) within.set(last, { key: last, fields: null });
  }
}

/** Fields of either; sub-fields of the same key are those of both. */
function merged(key: string, a: AnswerField | undefined, b: AnswerField): AnswerField {
  if (a === undefined || a.fields === null || b.fields === null) return { key, fields: b.fields };
  const fields: AnswerFields = new Map(a.fields);
  for (const [name, field] of b.fields) fields.set(name, merged(name, fields.get(name), field));
  return { key, fields };
}

/** The path of an error in an answer, in terms of the keys after the answer's rewrites. */
export function rewritePath(
  path: readonly (string | number)[],
  rewrites: readonly FetchDataRewrite[],
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
