import {
  getNamedType,
  type GraphQLSchema,
  isAbstractType,
  isInterfaceType,
  isObjectType,
  type OperationTypeNode,
} from 'graphql';

/** What the supergraph says of its types, inaccessible ones included: plans name them. */
export interface TypeRelations {
  readonly isObject: (name: unknown) => boolean;
  /** A value of type `name` is of type `condition` too. */
  readonly isA: (name: string, condition: string) => boolean;
  /** The type of a field's values, lists and non-null left out. */
  readonly fieldType: (typeName: string, fieldName: string) => string | null;
  readonly rootType: (operation: OperationTypeNode) => string | null;
  readonly narrowed: NarrowedFields;
}

/** `subgraph Type.field` -> the type it is of in that subgraph, where the supergraph has another: an interface or a union. */
export type NarrowedFields = ReadonlyMap<string, string>;

export function createTypeRelations(schema: GraphQLSchema, narrowed: NarrowedFields = new Map()): TypeRelations {
  const relates = (name: string, condition: string): boolean => {
    if (name === condition) return true;
    const type = schema.getType(name);
    const other = schema.getType(condition);
    return isAbstractType(other) && (isObjectType(type) || isInterfaceType(type)) && schema.isSubType(other, type);
  };
  return {
    isObject: (name) => typeof name === 'string' && isObjectType(schema.getType(name)),
    // graphql keeps the subtypes of each type in a map of its own.
    isA: relates,
    fieldType: (typeName, fieldName) => {
      const type = schema.getType(typeName);
      const fields = isObjectType(type) || isInterfaceType(type) ? type.getFields() : {};
      const field = Object.hasOwn(fields, fieldName) ? fields[fieldName] : undefined;
      return field === undefined ? null : getNamedType(field.type).name;
    },
    rootType: (operation) => schema.getRootType(operation)?.name ?? null,
    narrowed,
  };
}
