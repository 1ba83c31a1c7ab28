import {
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  Kind,
  parse,
  type SelectionSetNode,
  type TypeNode,
} from 'graphql';

/** A coordinate whose value is handed to a subgraph, because a key or a @requires of it asks for it. */
export interface HandedOver {
  readonly coordinate: string;
  /** Name in join__Graph. */
  readonly graph: string;
}

/** Every coordinate in the field sets of a supergraph, fields of fields and fragments included. */
export function readHandedOver(supergraph: DocumentNode): readonly HandedOver[] {
  const fieldTypes = readFieldTypes(supergraph);
  const read = (typeName: string, directives: readonly ConstDirectiveNode[] | undefined, name: string): HandedOver[] =>
    (directives ?? []).flatMap((directive) => {
      const fields = argumentOf(directive, name);
      const graph = argumentOf(directive, 'graph');
      if (fields?.kind !== Kind.STRING || graph?.kind !== Kind.ENUM) return [];
      return coordinatesOf(fieldTypes, typeName, fields.value).map((coordinate) => ({
        coordinate,
        graph: graph.value,
      }));
    });
  return supergraph.definitions.flatMap((type) => {
    if (type.kind !== Kind.OBJECT_TYPE_DEFINITION && type.kind !== Kind.INTERFACE_TYPE_DEFINITION) return [];
    const { value: name } = type.name;
    return [
      ...read(name, type.directives, 'key'),
      ...(type.fields ?? []).flatMap((field) => read(name, field.directives, 'requires')),
    ];
  });
}

function coordinatesOf(fieldTypes: ReadonlyMap<string, string>, typeName: string, fields: string): readonly string[] {
  const coordinates: string[] = [];
  const visitSet = (set: SelectionSetNode, parent: string): void => {
    for (const node of set.selections) {
      if (node.kind === Kind.INLINE_FRAGMENT) visitSet(node.selectionSet, node.typeCondition?.name.value ?? parent);
      if (node.kind !== Kind.FIELD) continue;
      const coordinate = `${parent}.${node.name.value}`;
      coordinates.push(coordinate);
      if (node.selectionSet !== undefined) visitSet(node.selectionSet, fieldTypes.get(coordinate) ?? '');
    }
  };
  for (const node of parse(`{ ${fields} }`, { noLocation: true }).definitions)
    if (node.kind === Kind.OPERATION_DEFINITION) visitSet(node.selectionSet, typeName);
  return coordinates;
}

/** `Type.field` -> the name of its type. */
function readFieldTypes(supergraph: DocumentNode): ReadonlyMap<string, string> {
  const entries = supergraph.definitions.flatMap((type) =>
    type.kind === Kind.OBJECT_TYPE_DEFINITION || type.kind === Kind.INTERFACE_TYPE_DEFINITION
      ? (type.fields ?? []).map((field: FieldDefinitionNode): [string, string] => [
          `${type.name.value}.${field.name.value}`,
          nameOf(field.type),
        ])
      : [],
  );
  return new Map(entries);
}

function nameOf(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : nameOf(type.type);
}

const argumentOf = (directive: ConstDirectiveNode, name: string) =>
  directive.arguments?.find((argument) => argument.name.value === name)?.value;
