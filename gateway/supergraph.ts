import { readFileSync } from 'node:fs';
import { type ConstDirectiveNode, Kind, parse, parseType, type TypeNode, valueFromASTUntyped } from 'graphql';

import { MortarError } from '#platform/errors.ts';

/** The composed file that is committed and served. */
export const SUPERGRAPH_FILE = new URL('../schema/supergraph.graphql', import.meta.url);

/** @throws {MortarError} CONFIGURATION_INVALID when the file is missing */
export function readSupergraph(file: URL = SUPERGRAPH_FILE): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new MortarError('CONFIGURATION_INVALID', {
      message: `cannot read ${file.pathname}; write it with: npm run mortar -- compose`,
      cause: error,
    });
  }
}

/** `Type.field` -> the subgraph that answers it (the first, where several do). */
export function readOwners(supergraphSdl: string): ReadonlyMap<string, string> {
  const owners = new Map<string, string>();
  const names = graphNames(supergraphSdl);
  for (const type of parse(supergraphSdl, { noLocation: true }).definitions) {
    if (type.kind !== Kind.OBJECT_TYPE_DEFINITION && type.kind !== Kind.INTERFACE_TYPE_DEFINITION) continue;
    const ofType = graphOf(type.directives, 'join__type');
    for (const field of type.fields ?? []) {
      const graph = graphOf(field.directives, 'join__field') ?? ofType;
      const owner = names.get(graph ?? '');
      if (owner !== undefined) owners.set(`${type.name.value}.${field.name.value}`, owner);
    }
  }
  return owners;
}

/** `subgraph Type.field` -> the type that the field is of in that subgraph, where the supergraph has a wider one. */
export function readNarrowedFields(supergraphSdl: string): ReadonlyMap<string, string> {
  const narrowed = new Map<string, string>();
  const names = graphNames(supergraphSdl);
  for (const type of parse(supergraphSdl, { noLocation: true }).definitions) {
    if (type.kind !== Kind.OBJECT_TYPE_DEFINITION && type.kind !== Kind.INTERFACE_TYPE_DEFINITION) continue;
    for (const field of type.fields ?? []) {
      const inSupergraph = namedTypeOf(field.type);
      for (const join of field.directives ?? []) {
        const text = join.name.value === 'join__field' ? argument(join, 'type') : undefined;
        const own = typeof text === 'string' ? namedTypeOf(parseType(text)) : inSupergraph;
        const subgraph = names.get(String(argument(join, 'graph')));
        if (own !== inSupergraph && subgraph !== undefined)
          narrowed.set(`${subgraph} ${type.name.value}.${field.name.value}`, own);
      }
    }
  }
  return narrowed;
}

/** The name of a type without its lists and non-nulls. */
export function namedTypeOf(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : namedTypeOf(type.type);
}

function graphOf(directives: readonly ConstDirectiveNode[] | undefined, name: string): string | undefined {
  const found = directives?.find((directive) => directive.name.value === name);
  const graph = found === undefined ? undefined : argument(found, 'graph');
  return typeof graph === 'string' ? graph : undefined;
}

/** Enum value of join__Graph -> subgraph name. */
export function graphNames(supergraphSdl: string): ReadonlyMap<string, string> {
  return new Map(graphValues(supergraphSdl).map(({ value, name }) => [value, name]));
}

/** The subgraphs of a supergraph with the URLs it names; empty: none. */
export function readAddresses(supergraphSdl: string): readonly { readonly name: string; readonly url: string }[] {
  return graphValues(supergraphSdl).map(({ name, url }) => ({ name, url }));
}

function graphValues(supergraphSdl: string) {
  const values = parse(supergraphSdl, { noLocation: true }).definitions.flatMap((node) =>
    node.kind === Kind.ENUM_TYPE_DEFINITION && node.name.value === 'join__Graph' ? (node.values ?? []) : [],
  );
  return values.map(({ name: { value }, directives }) => {
    const directive = directives?.find(({ name }) => name.value === 'join__graph');
    const read = (name: string): string => {
      const given = directive === undefined ? undefined : argument(directive, name);
      return typeof given === 'string' ? given : '';
    };
    return { value, name: read('name') || value, url: read('url') };
  });
}

function argument(directive: ConstDirectiveNode, name: string): unknown {
  const found = directive.arguments?.find((node) => node.name.value === name);
  return found === undefined ? undefined : valueFromASTUntyped(found.value);
}
