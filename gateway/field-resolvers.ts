import { type ConstDirectiveNode, type DocumentNode, Kind } from 'graphql';

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
}

/** Every field of a supergraph that some subgraph answers, in the order of the document. */
export function readResolvedFields(supergraph: DocumentNode): readonly ResolvedField[] {
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
      return { coordinate: `${type.name.value}.${field.name.value}`, typeName: type.name.value, isEntity, graphs };
    });
  });
}

const named = (directives: Directives, name: string): readonly ConstDirectiveNode[] =>
  directives?.filter((directive) => directive.name.value === name) ?? [];

const argumentOf = (directive: ConstDirectiveNode, name: string) =>
  directive.arguments?.find((argument) => argument.name.value === name)?.value;

const has = (directive: ConstDirectiveNode, name: string): boolean => argumentOf(directive, name) !== undefined;

/** Distinct; a type has one join for each key. */
function graphsOf(joins: readonly ConstDirectiveNode[]): readonly string[] {
  const graphs = joins.flatMap((join) => {
    const graph = argumentOf(join, 'graph');
    return graph?.kind === Kind.ENUM ? [graph.value] : [];
  });
  return [...new Set(graphs)];
}
