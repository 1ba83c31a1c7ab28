import { type DocumentNode, type InterfaceTypeDefinitionNode, Kind, type ObjectTypeDefinitionNode } from 'graphql';

export type FieldsType = ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode;

/** Every object and interface type of a supergraph. */
export function fieldsTypes({ definitions }: DocumentNode): readonly FieldsType[] {
  return definitions.filter(
    (type) => type.kind === Kind.OBJECT_TYPE_DEFINITION || type.kind === Kind.INTERFACE_TYPE_DEFINITION,
  );
}

/** The name itself and, of an interface, those of the types that implement it: what is said of the one holds for the others. */
export function typesNamed(types: readonly FieldsType[], name: string): readonly string[] {
  const implementing = types.filter(({ interfaces = [] }) => interfaces.some((one) => one.name.value === name));
  return [name, ...implementing.map((type) => type.name.value)];
}
