import { type DocumentNode, type InterfaceTypeDefinitionNode, Kind, type ObjectTypeDefinitionNode } from 'graphql';

type FieldsType = ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode;

/** The object and interface types of a supergraph. */
export interface FieldsTypes {
  readonly all: readonly FieldsType[];
  /** The name itself and, of an interface, those of the types that implement it: what is said of the one holds for the others. */
  readonly named: (name: string) => readonly string[];
}

export function readFieldsTypes({ definitions }: DocumentNode): FieldsTypes {
  const all = definitions.filter(
    (type) => type.kind === Kind.OBJECT_TYPE_DEFINITION || type.kind === Kind.INTERFACE_TYPE_DEFINITION,
  );
  const named = new Map(all.map(({ name }) => [name.value, [name.value]]));
  for (const { name, interfaces = [] } of all)
    for (const implemented of interfaces) named.get(implemented.name.value)?.push(name.value);
  return { all, named: (name) => named.get(name) ?? [name] };
}
