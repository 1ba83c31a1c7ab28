import {
  type ConstDirectiveNode,
  type ConstValueNode,
  type DocumentNode,
  Kind,
  parse,
  type SelectionSetNode,
} from 'graphql';

import { namedTypeOf } from '#gateway/supergraph.ts';

type Directives = readonly ConstDirectiveNode[] | undefined;

/** One field of an object or interface type of a supergraph and who answers it. */
export interface ResolvedField {
  /** `Type.field`. */
  readonly coordinate: string;
  readonly typeName: string;
  /** The type can be reached in another subgraph by a key. */
  readonly isEntity: boolean;
  /** Names of join__Graph; copies that are @external, and those another subgraph overrides, do not count. */
  readonly graphs: readonly string[];
  /** Those of `graphs` that need other fields of the entity first. */
  readonly requiring: readonly string[];
  /** Coordinates of the fields that one of those needs first, of the entity and of what those lead to. */
  readonly required: readonly string[];
  /** Subgraphs that have the field at all, every copy counted. */
  readonly copies: number;
  /** Names of join__Graph that know the type. */
  readonly typeGraphs: readonly string[];
}

/** Every field of a supergraph that some subgraph answers, in the order of the document. */
export function readResolvedFields(supergraph: DocumentNode): readonly ResolvedField[] {
  const typeOf = readFieldTypes(supergraph);
  return supergraph.definitions.flatMap((type) => {
    if (type.kind !== Kind.OBJECT_TYPE_DEFINITION && type.kind !== Kind.INTERFACE_TYPE_DEFINITION) return [];
    const joins = named(type.directives, 'join__type');
    const ofType = graphsOf(joins);
    const isEntity = joins.some((join) => has(join, 'key'));
    return (type.fields ?? []).map((field) => {
      const own = named(field.directives, 'join__field');
      const graphs =
        own.length === 0
          ? ofType
          : graphsOf(own.filter((join) => !has(join, 'external') && !has(join, 'usedOverridden')));
      return {
        coordinate: `${type.name.value}.${field.name.value}`,
        typeName: type.name.value,
        isEntity,
        graphs,
        requiring: graphsOf(own.filter((join) => has(join, 'requires'))),
        required: own.flatMap((join) => coordinatesIn(argumentOf(join, 'requires'), type.name.value, typeOf)),
        copies: own.length === 0 ? ofType.length : own.length,
        typeGraphs: ofType,
      };
    });
  });
}

const named = (directives: Directives, name: string): readonly ConstDirectiveNode[] =>
  directives?.filter((directive) => directive.name.value === name) ?? [];

const argumentOf = (directive: ConstDirectiveNode, name: string) =>
  directive.arguments?.find((argument) => argument.name.value === name)?.value;

const has = (directive: ConstDirectiveNode, name: string): boolean => argumentOf(directive, name) !== undefined;

/** Of a field set: `T.b` and `B.a` of `b { a }`. */
function coordinatesIn(
  value: ConstValueNode | undefined,
  typeName: string,
  typeOf: ReadonlyMap<string, string>,
): readonly string[] {
  if (value?.kind !== Kind.STRING) return [];
  const read = (set: SelectionSetNode | undefined, type: string): readonly string[] =>
    (set?.selections ?? []).flatMap((node) => {
      if (node.kind === Kind.INLINE_FRAGMENT) return read(node.selectionSet, node.typeCondition?.name.value ?? type);
      if (node.kind !== Kind.FIELD) return [];
      const coordinate = `${type}.${node.name.value}`;
      return [coordinate, ...read(node.selectionSet, typeOf.get(coordinate) ?? '')];
    });
  const { definitions } = parse(`{ ${value.value} }`, { noLocation: true });
  return definitions.flatMap((node) =>
    node.kind === Kind.OPERATION_DEFINITION ? read(node.selectionSet, typeName) : [],
  );
}

/** Names of types by coordinate. */
function readFieldTypes(supergraph: DocumentNode): ReadonlyMap<string, string> {
  return new Map(
    supergraph.definitions.flatMap((type) =>
      type.kind === Kind.OBJECT_TYPE_DEFINITION || type.kind === Kind.INTERFACE_TYPE_DEFINITION
        ? (type.fields ?? []).map(
            (field) => [`${type.name.value}.${field.name.value}`, namedTypeOf(field.type)] as const,
          )
        : [],
    ),
  );
}

/** Distinct; a type has one join for each key. */
function graphsOf(joins: readonly ConstDirectiveNode[]): readonly string[] {
  const graphs = joins.flatMap((join) => {
    const graph = argumentOf(join, 'graph');
    return graph?.kind === Kind.ENUM ? [graph.value] : [];
  });
  return [...new Set(graphs)];
}
