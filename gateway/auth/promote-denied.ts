import {
  type DocumentNode,
  getNamedType,
  getOperationAST,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';

import { fragmentsOf } from './document-coordinates.ts';
import type { DeniedCell } from './static-authorization.ts';

export interface AnsweredDocument {
  readonly schema: GraphQLSchema;
  /** The client's own. */
  readonly document: DocumentNode;
  readonly operationName: string | null | undefined;
}

/**
 * The answer with the null of each denied cell where GraphQL allows one: of a field that is never null the row goes instead,
 * and so on upwards. Our own graph has no such field; supergraphs of others may.
 */
export function promoteDenied(data: unknown, cells: readonly DeniedCell[], asked: AnsweredDocument): unknown {
  const isNeverNull = ({ denial: { coordinate } }: DeniedCell): boolean => {
    const [typeName = '', fieldName = ''] = coordinate.split('.');
    const type = asked.schema.getType(typeName);
    return hasFields(type) && isNonNullType(type.getFields()[fieldName]?.type);
  };
  if (!cells.some(isNeverNull)) return data;
  const operation = getOperationAST(asked.document, asked.operationName);
  const root = operation && asked.schema.getRootType(operation.operation);
  if (!root || !operation) return data;
  const promoted = createPromoter(asked)(data, root, [{ set: operation.selectionSet, parent: root }]);
  return promoted === BROKEN ? null : promoted;
}

/** A null where none may be: whoever holds it becomes null. */
const BROKEN = Symbol('broken');

/** One selection set of a field, on the type it was written for. */
interface Selected {
  readonly set: SelectionSetNode;
  readonly parent: GraphQLNamedType;
}

interface Selection {
  /** Fields of one response key have one shape of nulls and lists, whatever their types (validation). */
  readonly type: GraphQLOutputType;
  readonly below: Selected[];
}

const hasFields = (type: GraphQLNamedType | undefined) => isObjectType(type) || isInterfaceType(type);

function createPromoter({ schema, document }: AnsweredDocument) {
  const fragments = fragmentsOf(document);

  const collect = ({ set, parent }: Selected, into: Map<string, Selection>): void => {
    for (const node of set.selections) {
      if (node.kind === Kind.FIELD) {
        const type = hasFields(parent) ? parent.getFields()[node.name.value]?.type : undefined;
        if (type === undefined) continue;
        const key = node.alias?.value ?? node.name.value;
        const known = into.get(key) ?? { type, below: [] };
        into.set(key, known);
        if (node.selectionSet !== undefined) known.below.push({ set: node.selectionSet, parent: getNamedType(type) });
      } else {
        const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value);
        const condition = fragment?.typeCondition?.name.value;
        const on = condition === undefined ? parent : schema.getType(condition);
        if (fragment !== undefined && on !== undefined) collect({ set: fragment.selectionSet, parent: on }, into);
      }
    }
  };
  const promote = (value: unknown, type: GraphQLOutputType, below: readonly Selected[]): unknown => {
    if (isNonNullType(type)) {
      const inner = promote(value, type.ofType, below);
      return inner === null || inner === undefined ? BROKEN : inner;
    }
    if (value === null || value === undefined) return value;
    if (isListType(type)) {
      if (!Array.isArray(value)) return value;
      const items = value.map((item: unknown) => promote(item, type.ofType, below));
      return items.includes(BROKEN) ? null : items;
    }
    if (below.length === 0 || typeof value !== 'object') return value;
    const selections = new Map<string, Selection>();
    for (const selected of below) collect(selected, selections);
    const row: Record<string, unknown> = {};
    for (const [key, cell] of Object.entries(value)) {
      const selection = selections.get(key);
      const promoted: unknown = selection === undefined ? cell : promote(cell, selection.type, selection.below);
      if (promoted === BROKEN) return null;
      row[key] = promoted;
    }
    return row;
  };
  return promote;
}
