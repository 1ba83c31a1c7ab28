import type { AnswerFields } from './answer-fields.ts';
import { createRow, isRow, ownValue, type Row } from './row.ts';
import type { TypeRelations } from './type-relations.ts';

/** Lists within lists; no schema nests deeper, a hostile answer may. */
const MAX_LIST_DEPTH = 32;
/** Levels within a custom scalar; deeper ones could not be written as JSON, which would cost the whole answer. */
const MAX_SCALAR_DEPTH = 64;
/** What no type accepts: completion turns it into null and an error. */
const INVALID = Symbol('invalid');

/**
 * Copies from an answer into a row what the fetch asked for, and nothing else. Objects and lists are always made anew, so
 * that two rows never share one; leaf values are taken over as they are and never changed. What came later wins.
 */
export function adopt(target: Row, source: object, fields: AnswerFields, types: TypeRelations): void {
  for (const { key, fields: below } of fields.values()) {
    const value = ownValue(source, key);
    if (value === undefined) continue;
    if (below === null && key !== '__typename') {
      target[key] = typeof value === 'object' && isDeeper(value, MAX_SCALAR_DEPTH) ? INVALID : value;
      continue;
    }
    const known = target[key];
    if (below !== null) target[key] = adoptValue(known, value, below, types, 0);
    // A subgraph that knows an interface as an object names the interface; the concrete type is known better.
    else if (!types.isObject(known) || types.isObject(value)) target[key] = value;
  }
}

// oxlint-disable-next-line max-params -- called for every object of every answer: an options object would cost one each
function adoptValue(
  known: unknown,
  value: unknown,
  fields: AnswerFields,
  types: TypeRelations,
  depth: number,
): unknown {
  if (Array.isArray(value)) {
    if (depth === MAX_LIST_DEPTH) return INVALID;
    const entries: readonly unknown[] = Array.isArray(known) && known.length === value.length ? known : [];
    const adopted: unknown[] = [];
    for (let index = 0; index < value.length; index += 1)
      adopted.push(adoptValue(entries[index], value[index], fields, types, depth + 1));
    return adopted;
  }
  if (!isRow(value)) return value;
  const row = isRow(known) ? known : createRow();
  adopt(row, value, fields, types);
  return row;
}

/** It holds objects or lists on more levels than that. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const entries: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  return levels === 0 || entries.some((entry) => isDeeper(entry, levels - 1));
}
