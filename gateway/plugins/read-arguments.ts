import { type FieldNode, getArgumentValues, type GraphQLField } from 'graphql';

/** The arguments of a field as it is written in the document; {} when they cannot be read. */
export type ReadArguments = (
  field: GraphQLField<unknown, unknown>,
  node: FieldNode,
) => Readonly<Record<string, unknown>>;

/**
 * Reads the arguments of each written field once, however often fragments put it into the answer: a null that is refused
 * costs an error with its place in the text.
 */
export function createArgumentReader(variables: Record<string, unknown>): ReadArguments {
  const known = new Map<FieldNode, Readonly<Record<string, unknown>>>();
  return (field, node) => {
    const values = known.get(node) ?? readArguments(field, node, variables);
    known.set(node, values);
    return values;
  };
}

function readArguments(
  field: GraphQLField<unknown, unknown>,
  node: FieldNode,
  variables: Record<string, unknown>,
): Readonly<Record<string, unknown>> {
  try {
    return getArgumentValues(field, node, variables);
  } catch {
    // A missing or ill-typed argument is refused where the field resolves.
    return {};
  }
}
