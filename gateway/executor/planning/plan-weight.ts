import {
  type DocumentNode,
  type FieldNode,
  getNamedType,
  type GraphQLNamedType,
  type GraphQLSchema,
  isAbstractType,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionSetNode,
} from 'graphql';

import { fragmentsOf } from '#gateway/auth/document-coordinates.ts';
import { readResolvedFields } from '#gateway/field-resolvers.ts';

/** How much the planner may have to look at for an operation; never more than `most`, where counting ends. */
export type WeighOperation = (document: DocumentNode, operation: OperationDefinitionNode, most: number) => number;

/** A field that only one subgraph can answer: measured against one more way to reach a contested one. */
const PLAIN_FIELD = 0.1;

/**
 * Weighs operations over a supergraph before they are planned: the planner follows each way to reach a field, and where
 * several subgraphs answer a field of an entity the ways multiply with every level (three subgraphs and ten levels of one
 * such field: 81 s). The sum over all fields of the ways to reach them; a plain field counts a tenth.
 */
export function createOperationWeigher(supergraphSdl: string, apiSchema: GraphQLSchema): WeighOperation {
  const choices = readChoices(supergraphSdl);
  const choicesOf = (type: GraphQLNamedType, field: string): number => {
    if (!isAbstractType(type)) return choices.get(`${type.name}.${field}`) ?? 1;
    // The planner may take an abstract type apart.
    const possible = apiSchema.getPossibleTypes(type).map(({ name }) => choices.get(`${name}.${field}`) ?? 1);
    return Math.max(choices.get(`${type.name}.${field}`) ?? 1, ...possible);
  };
  return (document, operation, most) => {
    const fragments = fragmentsOf(document);
    let weight = 0;
    const weighField = (node: FieldNode, type: GraphQLNamedType, ways: number): void => {
      const name = node.name.value;
      const reached = ways * choicesOf(type, name);
      weight += reached === 1 ? PLAIN_FIELD : reached;
      const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[name] : undefined;
      if (node.selectionSet !== undefined && field !== undefined)
        weighSet(node.selectionSet, getNamedType(field.type), reached);
    };
    const weighSet = (set: SelectionSetNode, type: GraphQLNamedType, ways: number): void => {
      for (const node of set.selections) {
        if (weight >= most) return;
        if (node.kind === Kind.FIELD) weighField(node, type, ways);
        else {
          const body = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value);
          const condition = body?.typeCondition?.name.value;
          // An empty unfolding costs as much as a field: fragments of fragments double without end.
          weight += PLAIN_FIELD;
          if (body !== undefined)
            weighSet(body.selectionSet, (condition === undefined ? null : apiSchema.getType(condition)) ?? type, ways);
        }
      }
    };
    const root = apiSchema.getRootType(operation.operation);
    if (root !== undefined && root !== null) weighSet(operation.selectionSet, root, 1);
    return Math.min(weight, most);
  };
}

/** `Type.field` of entities and roots -> how many subgraphs answer it; absent: one, or the one it was reached in. */
function readChoices(supergraphSdl: string): ReadonlyMap<string, number> {
  const document = parse(supergraphSdl, { noLocation: true });
  const roots = new Set(
    document.definitions.flatMap((node) =>
      node.kind === Kind.SCHEMA_DEFINITION ? node.operationTypes.map(({ type }) => type.name.value) : [],
    ),
  );
  const contested = readResolvedFields(document).filter(
    ({ typeName, isEntity, graphs }) => graphs.length > 1 && (isEntity || roots.has(typeName)),
  );
  return new Map(contested.map(({ coordinate, graphs }) => [coordinate, graphs.length]));
}
