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

/** Groups rows by the entity they name; `T` is kept once for each. */
export interface EntityGroups<T> {
  /** The group of the row, made by `make` for its first one; undefined: only its representation can tell. */
  readonly groupOf: (row: Row, make: () => T | null) => T | null | undefined;
}

interface GroupNode<T> {
  readonly next: Map<unknown, GroupNode<T>>;
  group: T | null | undefined;
}

/**
 * Tells the entities of rows apart by their values alone: an answer shows the same entity many times, and a representation
 * and a text of it for each cost more than anything else here. Null: what the subgraph needs is nested.
 */
export function compileEntityGroups(
  selections: readonly QueryPlanSelectionNode[],
  types: TypeRelations,
): (<T>() => EntityGroups<T>) | null {
  const parts: { readonly condition: string; readonly names: readonly string[] }[] = [];
  for (const selection of selections) {
    if (selection.kind !== 'InlineFragment' || selection.typeCondition === undefined) return null;
    const names = selection.selections.flatMap((field) =>
      field.kind === 'Field' && field.selections === undefined ? [field.alias ?? field.name] : [],
    );
    if (names.length !== selection.selections.length) return null;
    parts.push({ condition: selection.typeCondition, names });
  }
  // As many as there are types.
  const known = new Map<string, readonly string[]>();
  const readLeaves = (type: string): readonly string[] => {
    const applying = parts.filter(({ condition }) => types.isA(type, condition));
    return [...new Set(applying.flatMap(({ names }) => names))].filter((name) => name !== '__typename');
  };
  const leavesOf = (type: string): readonly string[] => {
    const leaves = known.get(type) ?? readLeaves(type);
    if (types.isObject(type)) known.set(type, leaves);
    return leaves;
  };
  return () => createGroups(leavesOf);
}

function createGroups<T>(leavesOf: (type: string) => readonly string[]): EntityGroups<T> {
  const roots = new Map<string, { readonly leaves: readonly string[]; readonly root: GroupNode<T> }>();
  const rootOf = (type: string) => {
    const known = roots.get(type);
    if (known !== undefined) return known;
    const made = { leaves: leavesOf(type), root: { next: new Map(), group: undefined } };
    roots.set(type, made);
    return made;
  };
  return {
    groupOf: (row, make) => {
      const type = row['__typename'];
      if (typeof type !== 'string') return undefined;
      const { leaves, root } = rootOf(type);
      let at: GroupNode<T> = root;
      for (const leaf of leaves) {
        const value = row[leaf];
        // Objects and lists are equal only by what they hold; a missing value may leave a fragment out.
        if (value === undefined || (typeof value === 'object' && value !== null)) return undefined;
        const below = at.next.get(value);
        if (below === undefined) at.next.set(value, (at = { next: new Map(), group: undefined }));
        else at = below;
      }
      if (at.group === undefined) at.group = make();
      return at.group;
    },
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
    // A symbol is what could not be taken over.
    if (value === undefined || typeof value === 'symbol') return false;
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
