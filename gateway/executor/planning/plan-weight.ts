import {
  type DocumentNode,
  type FieldNode,
  getNamedType,
  type GraphQLSchema,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionSetNode,
} from 'graphql';

import { readFieldGraphs } from './field-graphs.ts';
import { createPositions, type Position, waysOf } from './positions.ts';
import { fragmentsOf } from '#gateway/auth/document-coordinates.ts';

/** How much the planner may have to look at for an operation; never more than `most`, where counting ends. */
export type WeighOperation = (document: DocumentNode, operation: OperationDefinitionNode, most: number) => number;

/** A field that only one subgraph can answer: measured against one more way to reach a contested one. */
const PLAIN_FIELD = 0.1;

/**
 * Weighs operations over a supergraph before they are planned: the sum over all fields of the ways to reach them, where a
 * plain field counts a tenth. The planner follows each way to reach a field: where several subgraphs answer a field of an
 * entity the ways multiply with every level (three subgraphs and ten levels of one such field: 81 s). An interface that its
 * subgraph cannot answer for all its types is taken apart into them, and each is followed on its own: types multiply with
 * every such level too (three types and eight levels: 7 s). Where it can be asked itself the ways of its types are only
 * listed. A way to another subgraph has its own price where keys or required fields must be looked for on the way.
 */
export function createOperationWeigher(supergraphSdl: string, apiSchema: GraphQLSchema): WeighOperation {
  const { root: rootOf, follow, narrow } = createPositions(readFieldGraphs(parse(supergraphSdl, { noLocation: true })));
  return (document, operation, most) => {
    const fragments = fragmentsOf(document);
    let weight = 0;
    /** @returns what is paid once for all fields of the set */
    const weighField = (node: FieldNode, at: Position): number => {
      const name = node.name.value;
      const { type } = at.place;
      const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[name] : undefined;
      const set = node.selectionSet;
      const { position, ways, moved, searched } =
        field === undefined
          ? { position: at, ways: waysOf(at), moved: 0, searched: 0 }
          : follow(at, { name, type: getNamedType(field.type), isLeaf: set === undefined });
      weight += Math.max(ways <= 1 ? PLAIN_FIELD : ways, moved);
      if (set !== undefined && field !== undefined) weighSet(set, position);
      return searched;
    };
    /** @returns what is paid for its fields by now, to be paid once a value: also where they stand in fragments */
    const weighSet = (set: SelectionSetNode, at: Position, paid = 0): number => {
      let searched = paid;
      for (const node of set.selections) {
        if (weight >= most) return searched;
        if (node.kind === Kind.FIELD) {
          const search = weighField(node, at);
          weight += Math.max(0, search - searched);
          searched = Math.max(searched, search);
        } else {
          const body = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value);
          const condition = body?.typeCondition?.name.value;
          // An empty unfolding costs as much as a field: fragments of fragments double without end.
          weight += PLAIN_FIELD;
          const type = condition === undefined ? undefined : apiSchema.getType(condition);
          if (body === undefined) continue;
          if (type === undefined || type === at.place.type) searched = weighSet(body.selectionSet, at, searched);
          else weighSet(body.selectionSet, narrow(at, type));
        }
      }
      return searched;
    };
    const root = apiSchema.getRootType(operation.operation);
    if (root !== undefined && root !== null) weighSet(operation.selectionSet, rootOf(root));
    return Math.min(weight, most);
  };
}
