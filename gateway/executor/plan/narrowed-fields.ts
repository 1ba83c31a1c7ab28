import { type DocumentNode, Kind, type SelectionSetNode } from 'graphql';

import type { RowNaming } from './rewrites.ts';
import type { TypeRelations } from './type-relations.ts';
import { fragmentsOf } from '#gateway/auth/document-coordinates.ts';

/**
 * Names for the rows of a fetch's answer for which the planner asks no `__typename`: those below a field that is of an
 * object type in the subgraph and of an interface or a union in the supergraph. What the client may see of them depends on
 * their name.
 */
export function nameNarrowedRows(
  document: DocumentNode,
  { subgraph, types }: { readonly subgraph: string; readonly types: TypeRelations },
): readonly RowNaming[] {
  if (types.narrowed.size === 0) return [];
  const fragments = fragmentsOf(document);
  const namings: RowNaming[] = [];
  const walk = (set: SelectionSetNode, typeName: string, path: readonly string[]): void => {
    for (const node of set.selections) {
      if (node.kind !== Kind.FIELD) {
        const body = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value);
        const condition = body?.typeCondition?.name.value;
        const below = condition === undefined ? path : [...path, `... on ${condition}`];
        if (body !== undefined) walk(body.selectionSet, condition ?? typeName, below);
        continue;
      }
      const { selectionSet, name, alias } = node;
      if (selectionSet === undefined) continue;
      // Rewrites of a fetch for entities begin at the entity.
      const below = name.value === '_entities' ? path : [...path, alias?.value ?? name.value];
      const narrowed = types.narrowed.get(`${subgraph} ${typeName}.${name.value}`);
      // Of a narrower interface or union the planner asks the name; what stands below may be narrower again.
      if (narrowed !== undefined && types.isObject(narrowed))
        namings.push({ kind: 'RowNaming', path: [...below, '__typename'], typeName: narrowed });
      walk(selectionSet, narrowed ?? types.fieldType(typeName, name.value) ?? '', below);
    }
  };
  for (const node of document.definitions) {
    if (node.kind === Kind.OPERATION_DEFINITION) walk(node.selectionSet, types.rootType(node.operation) ?? '', []);
  }
  return namings;
}
