import {
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  Kind,
  parse,
  type SelectionSetNode,
} from 'graphql';

import { type FieldsTypes, readFieldsTypes } from './fields-types.ts';
import { namedTypeOf } from '#gateway/supergraph.ts';

/** A coordinate that passes through a subgraph which does not own it. */
export interface HandedOver {
  readonly coordinate: string;
  /** Name in join__Graph. */
  readonly graph: string;
  /** `key` and `requires`: the subgraph is given the value; `provides`: it gives it beside what it owns. */
  readonly by: 'key' | 'requires' | 'provides';
}

/** Every coordinate in the field sets of a supergraph, fields of fields and fragments included; of abstract types those of each object too. */
export function readHandedOver(supergraph: DocumentNode): readonly HandedOver[] {
  const types = readTypes(supergraph);
  const read = (
    typeName: string,
    directives: readonly ConstDirectiveNode[] | undefined,
    by: HandedOver['by'],
  ): HandedOver[] =>
    (directives ?? []).flatMap((directive) => {
      const fields = argumentOf(directive, by);
      const graph = argumentOf(directive, 'graph');
      if (fields?.kind !== Kind.STRING || graph?.kind !== Kind.ENUM) return [];
      return coordinatesOf(types, typeName, fields.value).map((coordinate) => ({ coordinate, graph: graph.value, by }));
    });
  return types.all.flatMap(({ name: { value: name }, directives, fields = [] }) => [
    ...read(name, directives, 'key'),
    ...fields.flatMap((field) => [
      ...read(name, field.directives, 'requires'),
      ...read(namedTypeOf(field.type), field.directives, 'provides'),
    ]),
  ]);
}

interface Types extends FieldsTypes {
  /** `Type.field` -> the name of its type. */
  readonly ofField: ReadonlyMap<string, string>;
}

function readTypes(supergraph: DocumentNode): Types {
  const types = readFieldsTypes(supergraph);
  const ofField = types.all.flatMap((type) =>
    (type.fields ?? []).map((field: FieldDefinitionNode): [string, string] => [
      `${type.name.value}.${field.name.value}`,
      namedTypeOf(field.type),
    ]),
  );
  return { ...types, ofField: new Map(ofField) };
}

function coordinatesOf({ ofField, named }: Types, typeName: string, fields: string): readonly string[] {
  const coordinates: string[] = [];
  const visitSet = (set: SelectionSetNode, parent: string): void => {
    for (const node of set.selections) {
      if (node.kind === Kind.INLINE_FRAGMENT) visitSet(node.selectionSet, node.typeCondition?.name.value ?? parent);
      if (node.kind !== Kind.FIELD) continue;
      const { value: name } = node.name;
      coordinates.push(...named(parent).map((type) => `${type}.${name}`));
      if (node.selectionSet !== undefined) visitSet(node.selectionSet, ofField.get(`${parent}.${name}`) ?? '');
    }
  };
  for (const node of parse(`{ ${fields} }`, { noLocation: true }).definitions)
    if (node.kind === Kind.OPERATION_DEFINITION) visitSet(node.selectionSet, typeName);
  return coordinates;
}

const argumentOf = (directive: ConstDirectiveNode, name: string) =>
  directive.arguments?.find((argument) => argument.name.value === name)?.value;
