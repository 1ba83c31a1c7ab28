import { type ConstValueNode, type DocumentNode, Kind } from 'graphql';

import { readResolvedFields, type ResolvedField } from '#gateway/field-resolvers.ts';
import { namedTypeOf } from '#gateway/supergraph.ts';

/** What the planner sees of a supergraph's fields, by names of types and of join__Graph. */
export interface FieldGraphs {
  /** Object types an abstract type may be, also those clients do not see; an object type is itself. */
  readonly possibleOf: (type: string) => readonly string[];
  /** Subgraphs that answer a field of an object type, or of an interface, where it is an entity or a root; else one. */
  readonly choicesOf: (type: string, field: string) => number;
  /** Each of these subgraphs answers the field itself. */
  readonly isAnsweredBy: (type: string, field: string, graphs: readonly string[]) => boolean;
  /** The subgraphs a field's value may come from, asked of a value that may come from these. */
  readonly graphsAfter: (type: string, field: string, from: readonly string[]) => readonly string[];
  /** Subgraphs may ask a value of one abstract type whether it is of another; else its types are asked one by one. */
  readonly isCastWhole: (type: string, to: string, from: readonly string[]) => boolean;
  /** How the planner asks a field of an interface. */
  readonly interfaceStep: (type: string, field: string, step: Step) => InterfaceStep;
  /** How long the chains of fields are that a field of an entity needs first (@requires), in all; 0: it needs none. */
  readonly requiredBefore: (type: string, field: string) => number;
  /** Keys of a type that some of its subgraphs do not know: it takes others to go there. */
  readonly farKeys: (type: string) => number;
  /** All that can be selected of a value is where the value is, whichever subgraph that is. */
  readonly isSettled: (type: string) => boolean;
}

/** A field on its way. */
export interface Step {
  /** Subgraphs the value may come from. */
  readonly from: readonly string[];
  /** The field's type. */
  readonly to: string;
}

/** Of the interface itself; of each of its types; or both ways, compared with each other. */
export type InterfaceStep = 'direct' | 'apart' | 'both';

/** Reads a supergraph. */
export function readFieldGraphs(supergraph: DocumentNode): FieldGraphs {
  const fields = new Map<string, Map<string, ResolvedField>>();
  const graphsOfType = new Map<string, readonly string[]>();
  for (const field of readResolvedFields(supergraph)) {
    const ofType = fields.get(field.typeName) ?? new Map<string, ResolvedField>();
    fields.set(field.typeName, ofType.set(field.coordinate.slice(field.typeName.length + 1), field));
    graphsOfType.set(field.typeName, field.typeGraphs);
  }
  const roots = readRoots(supergraph);
  const possible = readPossibleTypes(supergraph);
  const localOf = (type: string, graph: string): readonly string[] => possible.get(`${type} ${graph}`) ?? [];
  const fieldOf = (type: string, field: string): ResolvedField | undefined => fields.get(type)?.get(field);
  const possibleOf = (type: string): readonly string[] => possible.get(type) ?? [type];
  /** The value can be had elsewhere than where it is. */
  const canMove = ({ isEntity, typeName }: ResolvedField): boolean => isEntity || roots.has(typeName);
  const isEntityOrRoot = (type: string): boolean => [...(fields.get(type)?.values() ?? [])].some(canMove);
  const isAnsweredIn = (type: string, field: string, graph: string): boolean => {
    const known = fieldOf(type, field);
    return known !== undefined && known.graphs.includes(graph) && !known.requiring.includes(graph);
  };
  /** As the planner demands of a subgraph whose interface it asks: each type there answers the field itself. */
  const isDirectIn = (type: string, field: string, graph: string): boolean =>
    isAnsweredIn(type, field, graph) &&
    possibleOf(type).every(
      (name) => !(graphsOfType.get(name) ?? []).includes(graph) || isAnsweredIn(name, field, graph),
    );
  /** A subgraph that knows an interface as an object (@interfaceObject) knows none of its types. */
  const isObjectIn = (type: string, graph: string): boolean => localOf(type, graph).length === 0;
  /** By the interface's own key, from or to a subgraph that knows it as an object. */
  const isReachedWhole = (type: string, field: string, graph: string): boolean => {
    const known = fieldOf(type, field);
    if (known === undefined || !known.isEntity || known.graphs.length === 0) return false;
    return known.graphs.every((to) => (isObjectIn(type, graph) ? isDirectIn(type, field, to) : isObjectIn(type, to)));
  };
  const farKeys = readFarKeys(supergraph);
  const chains = new Map<string, number>();
  const chainBefore = (coordinate: string): number => {
    const counted = chains.get(coordinate);
    if (counted !== undefined) return counted;
    // Of fields that need each other: here it ends.
    chains.set(coordinate, 0);
    const [type = '', field = ''] = coordinate.split('.');
    const required = fieldOf(type, field)?.required ?? [];
    const chained = required.map(chainBefore).filter((length) => length > 0);
    // Those that need nothing themselves are had together; each other chain is followed on its own.
    const before = Math.max(
      Math.min(1, required.length),
      chained.reduce((sum, length) => sum + 1 + length, 0),
    );
    chains.set(coordinate, before);
    return before;
  };
  const valueTypes = readValueTypes(supergraph);
  /** An object each of whose subgraphs answers all of it. */
  const isAlike = (type: string): boolean =>
    fields.has(type) &&
    !possible.has(type) &&
    [...(fields.get(type)?.values() ?? [])].every(({ graphs, typeGraphs }) => graphs.length === typeGraphs.length);
  const isOfLeaves = (type: string): boolean =>
    isAlike(type) && (valueTypes.get(type) ?? []).every((one) => !isComposite(one));
  const isComposite = (type: string): boolean => fields.has(type) || possible.has(type);
  const isSettled = (type: string): boolean => {
    // Types are added while it goes on.
    const seen = new Set([type]);
    for (const one of seen) {
      if (!isAlike(one) || isEntityOrRoot(one)) return false;
      for (const next of (valueTypes.get(one) ?? []).filter(isComposite)) seen.add(next);
    }
    return true;
  };
  return {
    possibleOf,
    choicesOf: (type, field) => {
      const known = fieldOf(type, field);
      return known === undefined || !canMove(known) ? 1 : Math.max(1, known.graphs.length);
    },
    isAnsweredBy: (type, field, graphs) =>
      graphs.length > 0 && graphs.every((graph) => isAnsweredIn(type, field, graph)),
    graphsAfter: (type, field, graphs) => {
      const known = fieldOf(type, field);
      if (known === undefined) return graphs;
      const here = known.graphs.filter((graph) => graphs.includes(graph));
      return canMove(known) || here.length === 0 ? known.graphs : here;
    },
    // The planner's own rule for its edges between abstract types.
    isCastWhole: (type, to, graphs) =>
      graphs.every((graph) => {
        const [here, there] = [localOf(type, graph), localOf(to, graph)];
        const both = here.filter((name) => there.includes(name));
        return !possibleOf(to).some((name) => here.includes(name) && !both.includes(name));
      }),
    interfaceStep: (type, field, { from: graphs, to }) => {
      const isWhole = (graph: string): boolean => isDirectIn(type, field, graph) || isReachedWhole(type, field, graph);
      if (graphs.length === 0 || !graphs.every(isWhole)) return 'apart';
      // A type of its own may be asked elsewhere for it, and for what is below: not where that is leaves both have.
      const isShared =
        !isOfLeaves(to) &&
        possibleOf(type).some((name) => {
          const known = fieldOf(name, field);
          return known !== undefined && known.isEntity && known.copies > 1;
        });
      return isShared ? 'both' : 'direct';
    },
    isSettled,
    requiredBefore: (type, field) => chainBefore(`${type}.${field}`),
    farKeys: (type) => farKeys.get(type) ?? 0,
  };
}

function readFarKeys(supergraph: DocumentNode): ReadonlyMap<string, number> {
  const far = new Map<string, number>();
  for (const node of supergraph.definitions) {
    if (node.kind !== Kind.OBJECT_TYPE_DEFINITION && node.kind !== Kind.INTERFACE_TYPE_DEFINITION) continue;
    const graphs = new Set<string>();
    const graphsOfKey = new Map<string, Set<string>>();
    for (const directive of node.directives ?? []) {
      if (directive.name.value !== 'join__type') continue;
      const given = new Map(directive.arguments?.map(({ name, value }) => [name.value, textOf(value)]));
      const [graph = '', key] = [given.get('graph'), given.get('key')];
      graphs.add(graph);
      if (key !== undefined) graphsOfKey.set(key, (graphsOfKey.get(key) ?? new Set()).add(graph));
    }
    far.set(node.name.value, [...graphsOfKey.values()].filter((known) => known.size < graphs.size).length);
  }
  return far;
}

function readRoots(supergraph: DocumentNode): ReadonlySet<string> {
  return new Set(
    supergraph.definitions.flatMap((node) =>
      node.kind === Kind.SCHEMA_DEFINITION ? node.operationTypes.map(({ type }) => type.name.value) : [],
    ),
  );
}

/** The types of an object's fields. */
function readValueTypes(supergraph: DocumentNode): ReadonlyMap<string, readonly string[]> {
  return new Map(
    supergraph.definitions.flatMap((node) =>
      node.kind === Kind.OBJECT_TYPE_DEFINITION
        ? [[node.name.value, (node.fields ?? []).map(({ type }) => namedTypeOf(type))] as const]
        : [],
    ),
  );
}

/** Object types by an abstract type's name, and by its name and a join__Graph's. */
function readPossibleTypes(supergraph: DocumentNode): ReadonlyMap<string, readonly string[]> {
  const types = new Map<string, string[]>();
  const add = (key: string, type: string): void => {
    const known = types.get(key) ?? [];
    types.set(key, known);
    if (!known.includes(type)) known.push(type);
  };
  for (const node of supergraph.definitions) {
    if (node.kind !== Kind.OBJECT_TYPE_DEFINITION && node.kind !== Kind.UNION_TYPE_DEFINITION) continue;
    for (const directive of node.directives ?? []) {
      const given = new Map(directive.arguments?.map(({ name, value }) => [name.value, textOf(value)]));
      const [abstract, type] =
        directive.name.value === 'join__implements'
          ? [given.get('interface'), node.name.value]
          : [node.name.value, directive.name.value === 'join__unionMember' ? given.get('member') : undefined];
      if (abstract === undefined || type === undefined) continue;
      add(abstract, type);
      add(`${abstract} ${given.get('graph') ?? ''}`, type);
    }
  }
  return types;
}

const textOf = (value: ConstValueNode): string =>
  value.kind === Kind.STRING || value.kind === Kind.ENUM ? value.value : '';
