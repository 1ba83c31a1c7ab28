import { type GraphQLSchema, isAbstractType, isInterfaceType, isObjectType } from 'graphql';

/** What the supergraph says of its types, inaccessible ones included: plans name them. */
export interface TypeRelations {
  readonly isObject: (name: unknown) => boolean;
  /** A value of type `name` is of type `condition` too. */
  readonly isA: (name: string, condition: string) => boolean;
}

export function createTypeRelations(schema: GraphQLSchema): TypeRelations {
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
  };
}
