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
 * Values that one operation may take over: as many as one answer of 8 MiB may hold, some 100 MB once they are shaped and
 * written. An entity's answer is copied to each place that shows it, so 100 places of one key make 160 MB of 1.6.
 */
const MAX_ADOPTED_VALUES = 1_000_000;
/** Text counts as a value for each 64 characters (2 ** 6): it is copied when the answer is written. */
const CHARACTERS_BITS = 6;

/**
 * A field that is not there, where a row of another type or of a fragment left out has none: it takes a look and no
 * memory. An interface of 30 types has hundreds of them for each of its rows.
 */
const MISSING_VALUES = 1 / 16;

/** How much an operation may still take over; shared by all its fetches. */
export interface AdoptionRoom {
  /** Fields, also those that each row should have and has not, and list entries; may fall below zero. */
  values: number;
}

export function createAdoptionRoom(): AdoptionRoom {
  return { values: MAX_ADOPTED_VALUES };
}

/** What one fetch takes its answers over with. */
export interface Adopting {
  readonly types: TypeRelations;
  readonly room: AdoptionRoom;
}

/**
 * Copies from an answer into a row what the fetch asked for, and nothing else. Objects and lists are always made anew, so
 * that two rows never share one; leaf values are taken over as they are and never changed. What came later wins. Takes
 * from the room what it copies, however little is left: callers look first.
 * @throws {Error} for more than one answer may hold: rows without any of their fields cost as much as others
 */
export function adopt(target: Row, source: object, fields: AnswerFields, adopting: Adopting): void {
  const { types, room } = adopting;
  if (room.values < -MAX_ADOPTED_VALUES) throw new Error('the answer has too many values');
  for (const { key, fields: below, always } of fields.values()) {
    const value = ownValue(source, key);
    if (value === undefined) {
      room.values -= always ? 1 : MISSING_VALUES;
      // Nobody may take it for a name that was not asked.
      if (always && key === '__typename') target[key] ??= null;
      continue;
    }
    room.values -= 1;
    if (below === null && key !== '__typename') {
      const size = typeof value === 'number' ? 0 : leafSize(value, MAX_SCALAR_DEPTH);
      if (size === null) target[key] = INVALID;
      else {
        target[key] = value;
        room.values -= size;
      }
      continue;
    }
    const known = target[key];
    if (below !== null) target[key] = adoptValue(known, value, below, adopting, 0);
    // A subgraph that knows an interface as an object names the interface; the concrete type is known better.
    else if (!types.isObject(known) || types.isObject(value)) target[key] = value;
  }
}

// oxlint-disable-next-line max-params -- called for every object of every answer: an options object would cost one each
function adoptValue(known: unknown, value: unknown, fields: AnswerFields, adopting: Adopting, depth: number): unknown {
  if (Array.isArray(value)) {
    if (depth === MAX_LIST_DEPTH) return INVALID;
    const entries: readonly unknown[] = Array.isArray(known) && known.length === value.length ? known : [];
    const adopted: unknown[] = [];
    adopting.room.values -= value.length;
    for (let index = 0; index < value.length; index += 1)
      adopted.push(adoptValue(entries[index], value[index], fields, adopting, depth + 1));
    return adopted;
  }
  if (!isRow(value)) return value;
  const row = isRow(known) ? known : createRow();
  adopt(row, value, fields, adopting);
  return row;
}

/** Values within a leaf, itself not counted; null: it holds objects or lists on more levels than that. */
function leafSize(value: unknown, levels: number): number | null {
  if (typeof value === 'string') return value.length >>> CHARACTERS_BITS;
  if (typeof value !== 'object' || value === null) return 0;
  if (levels === 0) return null;
  const entries: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  let size = entries.length;
  for (const entry of entries) {
    const within = leafSize(entry, levels - 1);
    if (within === null) return null;
    size += within;
  }
  return size;
}
