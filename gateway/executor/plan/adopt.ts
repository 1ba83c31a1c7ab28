import type { AnswerFields } from './answer-fields.ts';
import { createRow, isRow, ownValue, type Row } from './row.ts';
import type { TypeRelations } from './type-relations.ts';

/** Lists within lists; no schema nests deeper, a hostile answer may. */
const MAX_LIST_DEPTH = 32;
/** What no type accepts: completion turns it into null and an error. */
const INVALID = Symbol('invalid');

/**
 * Copies from an answer into a row what the fetch asked for, and nothing else. Objects and lists are always made anew, so
 * that two rows never share one; leaf values are taken over as they are and never changed. What came later wins.
 */
export function adopt(target: Row, source: object, fields: AnswerFields, types: TypeRelations): void {
  for (const [key, field] of fields) {
    const value = ownValue(source, key);
    if (value === undefined) continue;
    const known = target[key];
    if (field.fields !== null) target[key] = adoptValue(known, value, field.fields, { types, depth: 0 });
    // A subgraph that knows an interface as an object names the interface; the concrete type is known better.
    else if (key !== '__typename' || !types.isObject(known) || types.isObject(value)) target[key] = value;
  }
}

interface Place {
  readonly types: TypeRelations;
  readonly depth: number;
}

function adoptValue(known: unknown, value: unknown, fields: AnswerFields, place: Place): unknown {
  if (Array.isArray(value)) {
    if (place.depth === MAX_LIST_DEPTH) return INVALID;
    const below = { types: place.types, depth: place.depth + 1 };
    const entries: readonly unknown[] = Array.isArray(known) && known.length === value.length ? known : [];
    return value.map((entry: unknown, index) => adoptValue(entries[index], entry, fields, below));
  }
  if (!isRow(value)) return value;
  const row = isRow(known) ? known : createRow();
  adopt(row, value, fields, place.types);
  return row;
}
