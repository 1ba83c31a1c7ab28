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

/** Writes one selection of `row` into `into`; false: it is missing. */
type Step = (row: object, into: Representation) => boolean;

function compileSelections(
  selections: readonly QueryPlanSelectionNode[],
  types: TypeRelations,
): (row: object) => Representation | null {
  const steps = selections.map((selection): Step => {
    if (selection.kind === 'Field') {
      const below = selection.selections === undefined ? null : compileSelections(selection.selections, types);
      return fieldStep(selection.alias ?? selection.name, below);
    }
    const below = compileSelections(selection.selections, types);
    return fragmentStep(selection.typeCondition, below, types);
  });
  return (row) => {
    const into: Representation = {};
    return steps.every((step) => step(row, into)) ? into : null;
  };
}

function fieldStep(key: string, below: ((row: object) => Representation | null) | null): Step {
  const project = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(project);
    return isRow(value) && below !== null ? below(value) : value;
  };
  return (row, into) => {
    const value = ownValue(row, key);
    if (value === undefined) return false;
    put(into, key, below === null ? value : project(value));
    return true;
  };
}

/** A fragment that does not apply, or lacks something, adds nothing. */
function fragmentStep(
  condition: string | undefined,
  below: (row: object) => Representation | null,
  types: TypeRelations,
): Step {
  return (row, into) => {
    const name = ownValue(row, '__typename');
    if (condition === undefined || typeof name !== 'string' || !types.isA(name, condition)) return true;
    const found = below(row);
    if (found !== null) mergeInto(into, found);
    return true;
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

/** Defines rather than assigns: `__proto__` would otherwise change the object's nature. */
function put(into: object, key: string, value: unknown): void {
  Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true });
}
