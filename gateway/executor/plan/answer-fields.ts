import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';

import { ALWAYS, type Guard, guardKey, guardOf } from './guards.ts';
import { fragmentsOf } from '#gateway/auth/document-coordinates.ts';

/** One field of a fetch's answer, under whatever type condition. */
export interface AnswerField {
  readonly key: string;
  /** Fields below it; null: a leaf, taken over as it is. */
  readonly fields: Map<string, AnswerField> | null;
  /** Asked of every such row, of whatever type and wherever the row was asked for, whatever @skip and @include say. */
  readonly always: boolean;
}
export type AnswerFields = Map<string, AnswerField>;

/** A key that the rows of a fetch get, on rows of all these types, when the guard holds. */
export interface FetchedKey {
  readonly key: string;
  readonly conditions: readonly string[];
  readonly guard: Guard;
}

/** What a fetch's document asks for: of each entity when it asks for entities, else of the root. */
export interface FetchSelection {
  readonly fields: AnswerFields;
  readonly keys: readonly FetchedKey[];
}

/** Reads the document of a plan's fetch: one operation, perhaps with fragments. */
export function readFetchSelection(document: DocumentNode): FetchSelection {
  const fragments = fragmentsOf(document);
  const operation = document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
  if (operation === undefined) return { fields: new Map(), keys: [] };
  const entities = operation.selectionSet.selections.find(isEntities);
  const set = entities?.selectionSet ?? operation.selectionSet;
  const fields: AnswerFields = new Map();
  addFields(fields, set, { fragments, seen: new Set(), always: true });
  return { fields, keys: readKeys(set, fragments) };
}

function isEntities(node: SelectionNode): node is FieldNode {
  return node.kind === Kind.FIELD && node.name.value === '_entities';
}

interface Walk {
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Fragments already added to this set of fields. */
  readonly seen: Set<string>;
  /** Neither a type nor a directive stands above, within this set of fields. */
  readonly always: boolean;
}

function addFields(into: AnswerFields, set: SelectionSetNode, walk: Walk): void {
  for (const node of set.selections) {
    const always = walk.always && (node.directives ?? []).length === 0;
    if (node.kind === Kind.FIELD) {
      const key = node.alias?.value ?? node.name.value;
      const below: AnswerFields | null = node.selectionSet === undefined ? null : new Map();
      if (node.selectionSet !== undefined && below !== null)
        addFields(below, node.selectionSet, { ...walk, seen: new Set(), always: true });
      into.set(key, mergeFields(into.get(key), { key, fields: below, always }));
    } else if (node.kind === Kind.INLINE_FRAGMENT) {
      addFields(into, node.selectionSet, { ...walk, always: always && node.typeCondition === undefined });
    } else if (!walk.seen.has(node.name.value)) {
      walk.seen.add(node.name.value);
      const fragment = walk.fragments.get(node.name.value);
      if (fragment !== undefined) addFields(into, fragment.selectionSet, { ...walk, always: false });
    }
  }
}

/** One field that is asked in two places of the same rows: what stands below either of them. */
export function mergeFields(a: AnswerField | undefined, b: AnswerField): AnswerField {
  if (a === undefined) return b;
  const below = a.fields === null || b.fields === null ? b.fields : mergeBelow([a, a.fields], [b, b.fields]);
  return { key: b.key, fields: below, always: a.always || b.always };
}

type Below = readonly [field: Pick<AnswerField, 'always'>, fields: AnswerFields];

/** The rows may be there for one of the two alone: a field is always asked where one always is that asks it, or both ask. */
function mergeBelow([a, aFields]: Below, [b, bFields]: Below): AnswerFields {
  const merged: AnswerFields = new Map();
  for (const [key, field] of aFields) merged.set(key, { ...field, always: field.always && a.always });
  for (const [key, field] of bFields) {
    const inA = merged.get(key);
    const both = field.always && aFields.get(key)?.always === true;
    const one = mergeFields(inA, { ...field, always: field.always && b.always });
    merged.set(key, both ? { ...one, always: true } : one);
  }
  return merged;
}

function readKeys(
  set: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): readonly FetchedKey[] {
  const keys = new Map<string, FetchedKey>();
  const walk = (within: SelectionSetNode, conditions: readonly string[], outer: Guard): void => {
    for (const node of within.selections) {
      const guard = guardOf(node.directives, outer);
      if (guard === null) continue;
      if (node.kind === Kind.FIELD) {
        const key = node.alias?.value ?? node.name.value;
        if (key === '__typename') continue;
        keys.set(`${key} ${conditions.join(' ')} ${guardKey(guard)}`, { key, conditions, guard });
        continue;
      }
      const body = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value);
      if (body === undefined) continue;
      const condition = body.typeCondition?.name.value;
      const narrowed =
        condition === undefined || conditions.includes(condition) ? conditions : [...conditions, condition];
      walk(body.selectionSet, narrowed, guard);
    }
  };
  walk(set, [], ALWAYS);
  return [...keys.values()];
}
