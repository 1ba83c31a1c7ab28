import { createHash } from 'node:crypto';
import {
  type DocumentNode,
  type FieldNode,
  getOperationAST,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  print,
  type SelectionNode,
  type SelectionSetNode,
  TypeInfo,
  type ValueNode,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { LRUCache } from 'lru-cache';

import { coordinatesOf, type Denial } from './coordinate-policy.ts';
import { fragmentsOf } from './document-coordinates.ts';
import { documentBytes } from '#gateway/executor/document-store.ts';

const PREFIX = '__deny_';
const PLACEHOLDER = /^__deny_(\d+)_(.+)$/s;
const CACHE_BYTES = 12 * 2 ** 20;

/** A document without the fields a caller may not read, and how to put their nulls back. */
export interface PrunedDocument {
  readonly document: DocumentNode;
  /** Hash of the pruned text: plans are cached by it, so it must differ from the hash of what the client sent. */
  readonly queryHash: string;
  /** In the order of the number in the placeholder's response key. */
  readonly denials: readonly Denial[];
}

/** One denied field of one row of the answer. */
export interface DeniedCell {
  readonly denial: Denial;
  readonly path: readonly (string | number)[];
}

/**
 * Replaces every selection of a denied coordinate by `__deny_<n>_<response key>: __typename`, so that response keys keep
 * their place, no selection set becomes empty and the value is never fetched. The given document is shared by all callers
 * of its text and stays untouched.
 */
export function pruneDocument(
  schema: GraphQLSchema,
  document: DocumentNode,
  denials: readonly Denial[],
): PrunedDocument {
  const indexes = new Map(denials.map((denial, index) => [denial.coordinate, index]));
  const types = new TypeInfo(schema);
  const replace = (node: FieldNode): FieldNode | undefined => {
    const parent = types.getParentType();
    if (parent === null || parent === undefined || node.name.value.startsWith('__')) return undefined;
    const denied = coordinatesOf(schema, parent, node.name.value).find((coordinate) => indexes.has(coordinate));
    if (denied === undefined) return undefined;
    const key = node.alias?.value ?? node.name.value;
    const { loc: _loc, selectionSet: _selectionSet, ...rest } = node;
    return {
      ...rest,
      alias: { kind: Kind.NAME, value: `${PREFIX}${indexes.get(denied)}_${key}` },
      name: { kind: Kind.NAME, value: '__typename' },
      arguments: [],
    };
  };
  const pruned: DocumentNode = visit(document, visitWithTypeInfo(types, { Field: { enter: replace } }));
  const queryHash = createHash('sha256').update(print(pruned)).digest('hex');
  return { document: pruned, queryHash, denials };
}

/** Prunes once for each (document, denied coordinates); bounded by the memory the documents hold, and free of callers' values. */
export function createPruner(
  schema: GraphQLSchema,
): (queryHash: string, document: DocumentNode, denials: readonly Denial[]) => PrunedDocument {
  const cache = new LRUCache<string, PrunedDocument>({
    maxSize: CACHE_BYTES,
    sizeCalculation: ({ document }) => documentBytes(document),
  });
  return (queryHash, document, denials) => {
    const key = `${queryHash} ${denials.map(({ kind, coordinate }) => `${kind} ${coordinate}`).join(',')}`;
    const known = cache.get(key);
    if (known !== undefined) return known;
    const pruned = pruneDocument(schema, document, denials);
    cache.set(key, pruned);
    return pruned;
  };
}

/**
 * The denials an operation selects, whether its answer has rows or not: fragments followed, `@skip` and `@include` obeyed,
 * what stands below another denied field left out. `pruned` is the document of {@link pruneDocument}.
 */
export function selectedDenials(
  { document, denials }: Pick<PrunedDocument, 'document' | 'denials'>,
  operationName: string | null | undefined,
  variables: Readonly<Record<string, unknown>>,
): readonly Denial[] {
  const operation = getOperationAST(document, operationName);
  if (operation === null || operation === undefined) return [];
  const fragments = fragmentsOf(document);
  const isSelected = selectionTest(operation, variables);
  const selected = new Set<Denial>();
  const seen = new Set<string>();
  const visitSet = (set: SelectionSetNode | undefined): void => {
    for (const node of set?.selections ?? []) {
      if (!isSelected(node)) continue;
      if (node.kind !== Kind.FRAGMENT_SPREAD) {
        const index = node.kind === Kind.FIELD ? PLACEHOLDER.exec(node.alias?.value ?? '')?.[1] : undefined;
        const denial = index === undefined ? undefined : denials[Number(index)];
        if (denial !== undefined) selected.add(denial);
        visitSet(node.selectionSet);
      } else if (!seen.has(node.name.value)) {
        seen.add(node.name.value);
        visitSet(fragments.get(node.name.value)?.selectionSet);
      }
    }
  };
  visitSet(operation.selectionSet);
  return [...selected];
}

/** Whether `@skip` and `@include` leave a node in; a variable that is not given has its default. */
function selectionTest(
  { variableDefinitions }: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): (node: SelectionNode) => boolean {
  const defaults = new Map(
    variableDefinitions?.map(({ variable, defaultValue }) => [variable.name.value, defaultValue]),
  );
  const isTrue = (value: ValueNode | undefined): boolean => {
    if (value?.kind !== Kind.VARIABLE) return value?.kind === Kind.BOOLEAN && value.value;
    const given = variables[value.name.value];
    return given === undefined ? isTrue(defaults.get(value.name.value)) : given === true;
  };
  return ({ directives }) =>
    directives?.every(({ name, arguments: [condition] = [] }) => {
      if (name.value === 'skip') return !isTrue(condition?.value);
      return name.value !== 'include' || isTrue(condition?.value);
    }) !== false;
}

/** The answer with the placeholders turned back into nulls, and where they were. Where a row has both, the denial wins. */
export function restoreDenied(
  data: unknown,
  denials: readonly Denial[],
): { readonly data: unknown; readonly cells: readonly DeniedCell[] } {
  const cells: DeniedCell[] = [];
  const path: (string | number)[] = [];
  const at = <T>(step: string | number, run: () => T): T => {
    path.push(step);
    const result = run();
    path.pop();
    return result;
  };
  const restoreObject = (row: Readonly<Record<string, unknown>>): Record<string, unknown> => {
    const restored: Record<string, unknown> = {};
    const denied = new Set<string>();
    for (const [key, value] of Object.entries(row)) {
      const placeholder = PLACEHOLDER.exec(key);
      const name = placeholder?.[2] ?? key;
      const denial = placeholder === null ? undefined : denials[Number(placeholder[1])];
      if (denial !== undefined) {
        denied.add(name);
        restored[name] = null;
        cells.push({ denial, path: [...path, name] });
      } else if (!denied.has(name)) {
        restored[name] = at(name, () => restore(value));
      }
    }
    return restored;
  };
  const restore = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map((item: unknown, index) => at(index, () => restore(item)));
    // The executor's answers are plain JSON trees.
    return typeof value === 'object' && value !== null ? restoreObject(value as Record<string, unknown>) : value;
  };
  return { data: restore(data), cells };
}
