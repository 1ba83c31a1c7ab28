import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  getNamedType,
  type GraphQLCompositeType,
  type GraphQLSchema,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

import { coordinatesOf } from './coordinate-policy.ts';

/** Fragments of a document by name. */
export function fragmentsOf(document: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> {
  const definitions = document.definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION);
  return new Map(definitions.map((node) => [node.name.value, node]));
}

/** Every coordinate an operation may read, fragments followed and abstract types spread over their possible types. */
export interface OperationCoordinates {
  readonly coordinates: ReadonlySet<string>;
  /** Nothing but `__schema`, `__type` and `__typename` at the root. */
  readonly introspectionOnly: boolean;
}

/**
 * Reads the coordinates of a validated operation; `@skip` and `@include` are ignored (what may be read counts). Each
 * fragment is visited once.
 */
export function readCoordinates(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): OperationCoordinates {
  const fragments = fragmentsOf(document);
  const coordinates = new Set<string>();
  const seen = new Set<string>();
  let introspectionOnly = true;

  const visitField = (node: FieldNode, parent: GraphQLCompositeType, atRoot: boolean): void => {
    const name = node.name.value;
    if (name.startsWith('__')) return;
    if (atRoot) introspectionOnly = false;
    for (const coordinate of coordinatesOf(schema, parent, name)) coordinates.add(coordinate);
    const fields = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields() : {};
    const type = getNamedType(fields[name]?.type);
    if (node.selectionSet !== undefined && isCompositeType(type)) visitSet(node.selectionSet, type, false);
  };
  const conditioned = (name: string | undefined, parent: GraphQLCompositeType): GraphQLCompositeType => {
    const type = name === undefined ? parent : schema.getType(name);
    return isCompositeType(type) ? type : parent;
  };
  const visitSet = (set: SelectionSetNode, parent: GraphQLCompositeType, atRoot: boolean): void => {
    for (const node of set.selections) {
      if (node.kind === Kind.FIELD) visitField(node, parent, atRoot);
      else if (node.kind === Kind.INLINE_FRAGMENT) {
        visitSet(node.selectionSet, conditioned(node.typeCondition?.name.value, parent), atRoot);
      } else {
        const fragment = fragments.get(node.name.value);
        if (fragment === undefined || seen.has(node.name.value)) continue;
        seen.add(node.name.value);
        visitSet(fragment.selectionSet, conditioned(fragment.typeCondition.name.value, parent), atRoot);
      }
    }
  };
  const root = schema.getRootType(operation.operation);
  if (root !== undefined && root !== null) visitSet(operation.selectionSet, root, true);
  return { coordinates, introspectionOnly };
}
