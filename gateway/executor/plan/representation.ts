import type { QueryPlanSelectionNode } from '@apollo/query-planner';

import { isRow, ownValue, type Row } from './row.ts';
import type { TypeRelations } from './type-relations.ts';

/** How an entity is named to a subgraph: `__typename`, key fields and required fields. A plain object of its own. */
export type Representation = Record<string, unknown>;

/** Null: the row lacks something the subgraph needs, or is of a type this fetch is not about. */
export type Represent = (row: Row) => Representation | null;

/** Prepares the `requires` of a plan's fetch once. Representations are plain objects: subgraphs may expect `Object`'s own. */
export function compileRepresentation(selections: readonly QueryPlanSelectionNode[], types: TypeRelations): Represent {
  const project = compileSelections(selections, types);
  return (row) => {
    const representation = project(row);
    return representation === null || typeof representation['__typename'] !== 'string' ? null : representation;
  };
}

/** What one selection of a row adds; null: it is missing, and with it what it stands in. */
type Project = (row: Row) => Representation | null;
/** Writes one selection of `row` into `into`; false: it is missing. */
type Step = (row: Row, into: Representation) => boolean;

function compileSelections(selections: readonly QueryPlanSelectionNode[], types: TypeRelations): Project {
  const fragments = selections.flatMap((selection) =>
    selection.kind === 'InlineFragment' ? [compileFragment(selection, types)] : [],
  );
  const steps = selections.flatMap((selection) => (selection.kind === 'Field' ? [compileField(selection, types)] : []));
  return (row) => {
    let into: Representation | null = null;
    if (steps.length > 0) {
      into = {};
      for (const step of steps) if (!step(row, into)) return null;
    }
    for (const fragment of fragments) {
      const found = fragment(row);
      if (into === null) into = found;
      else if (found !== null) mergeInto(into, found);
    }
    return into ?? {};
  };
}

function compileField(
  { alias, name, selections }: Extract<QueryPlanSelectionNode, { readonly kind: 'Field' }>,
  types: TypeRelations,
): Step {
  const key = alias ?? name;
  const below = selections === undefined ? null : compileSelections(selections, types);
  const project = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(project);
    return isRow(value) && below !== null ? below(value) : value;
  };
  return (row, into) => {
    // Rows inherit nothing.
    const value = row[key];
    if (value === undefined) return false;
    put(into, key, below === null ? value : project(value));
    return true;
  };
}

/** A fragment that does not apply, or lacks something, adds nothing. */
function compileFragment(
  { typeCondition, selections }: Extract<QueryPlanSelectionNode, { readonly kind: 'InlineFragment' }>,
  types: TypeRelations,
): Project {
  const below = compileSelections(selections, types);
  return (row) => {
    const name = row['__typename'];
    const applies = typeCondition !== undefined && typeof name === 'string' && types.isA(name, typeCondition);
    return applies ? below(row) : null;
  };
}

function mergeInto(into: Representation, from: Representation): void {
  for (const [key, value] of Object.entries(from)) {
    const known = ownValue(into, key);
    put(into, key, mergeValues(known, value));
  }
}

function mergeValues(known: unknown, value: unknown): unknown {
  if (Array.isArray(known) && Array.isArray(value) && known.length === value.length)
    return value.map((entry: unknown, index) => mergeValues(known[index], entry));
  if (!isRow(known) || !isRow(value)) return value;
  const both = { ...known };
  mergeInto(both, value);
  return both;
}

function put(into: Representation, key: string, value: unknown): void {
  if (key !== '__proto__') into[key] = value;
  // Assigned, it would change the object's nature.
  else Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true });
}
