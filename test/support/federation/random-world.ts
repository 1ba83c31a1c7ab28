import { buildSubgraphSchema } from '@apollo/subgraph';
import {
  execute,
  getNamedType,
  type GraphQLNamedType,
  type GraphQLFieldResolver,
  type GraphQLOutputType,
  type GraphQLSchema,
  isEnumType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
  parse,
} from 'graphql';

import type { RandomModel } from './random-supergraph.ts';
import type { Subgraph } from '#platform/subgraph.ts';

/** How the subgraphs of a world misbehave; always the same way for the same field of the same row. */
export interface Misbehavior {
  /** One field in this many fails; 0: none. */
  readonly failing: number;
  /** One reference in this many is unknown to the subgraph that is asked; 0: none. */
  readonly unknown: number;
}

interface SourceRow {
  readonly id?: string;
  /** What a reference brought along. */
  readonly required?: Readonly<Record<string, unknown>>;
}

/** How a gateway names an entity, by whichever key; with it comes what is required. */
interface Reference extends Readonly<Record<string, unknown>> {
  readonly id?: string;
  readonly sku?: string;
  readonly code?: string;
  readonly link?: { readonly code?: string };
}

const SCALARS: Readonly<Record<string, (draw: number) => unknown>> = {
  Int: (draw) => draw % 1000,
  Float: (draw) => (draw % 1000) / 8,
  Boolean: (draw) => draw % 2 === 0,
  JSON: (draw) => ({ a: draw % 5, list: [1, { b: null }], constructor: 'c' }),
};

/** 32 bits of a text (FNV-1a). */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1)
    state = Math.imul(state ^ text.charCodeAt(index), 0x01000193) >>> 0;
  return (state ^ (state >>> 13)) >>> 0;
}

/**
 * Every value of a model, as a function of row, field and arguments: any schema over it answers alike. Each field of
 * Mutation changes every leaf there is, and nothing else: which rows there are, and what fails, stays. Who is compared
 * has a world of its own.
 */
export function createWorld(model: RandomModel, misbehavior: Misbehavior) {
  const interfaceObjects = new Set(
    model.subgraphs.filter(({ sdl }) => sdl.includes(') @interfaceObject')).map(({ name }) => name),
  );
  let changes = 0;
  const valueOf = (type: GraphQLOutputType, seed: string): unknown => {
    const draw = hash(seed);
    if (isNonNullType(type)) return valueOf(type.ofType, `${seed}!`);
    if (draw % 7 === 0) return null;
    if (isListType(type))
      return Array.from({ length: (draw >>> 3) % 4 }, (_, index) => valueOf(type.ofType, `${seed}.${index}`));
    return namedValue(getNamedType(type), seed, draw >>> 3);
  };
  const present = (type: GraphQLOutputType, seed: string): unknown => {
    const value = valueOf(type, seed);
    return value ?? (isNonNullType(type) ? (valueOf(type, `${seed}?`) ?? present(type, `${seed}+`)) : null);
  };
  const namedValue = (type: GraphQLNamedType, seed: string, unchanged: number): unknown => {
    const draw = changes > 0 && isLeafType(type) ? hash(`${seed} after ${changes}`) : unchanged;
    if (isEnumType(type)) return type.getValues()[draw % type.getValues().length]?.value;
    if (type.name in SCALARS) return SCALARS[type.name]?.(draw);
    if (isScalarType(type)) return `v${draw % 100_000}`;
    // The gateway starts anew at the root.
    if (type.name === 'Query') return {};
    const types = model.possible.get(type.name);
    const concrete = types === undefined ? type.name : types[draw % types.length];
    if (concrete === undefined || !model.entities.includes(concrete))
      return { __typename: concrete, id: `${type.name}:${hash(seed) % 999}` };
    return { __typename: concrete, id: `${concrete}-${(draw >>> 4) % 4}` };
  };

  const resolve: GraphQLFieldResolver<SourceRow | undefined, unknown> = (row, given, _context, info) => {
    const { fieldName, returnType, schema, parentType } = info;
    if (parentType === schema.getMutationType()) changes += 1;
    const id = row?.id ?? 'root';
    if (fieldName === 'id' || fieldName === 'sku') return id;
    if (fieldName === 'link') return { __typename: 'Link', id };
    if (fieldName === 'code') return `c-${id}`;
    if (fieldName === 'tag') return `t${hash(id) % 3}`;
    if (misbehavior.failing > 0 && hash(`fail ${fieldName} ${id}`) % misbehavior.failing === 0)
      throw new Error(`${fieldName} of ${id} fails`);
    const needed = model.requires.get(fieldName);
    if (needed !== undefined)
      return `r(${JSON.stringify(requiredOf(row, needed) ?? neededValue(schema, needed, id, row))})`;
    const value = present(returnType, `${fieldName} ${id} ${JSON.stringify(given)}`);
    return nameInterfaceObject(value, returnType);
  };
  /** In the schema that holds everything there is no reference; the value is looked up. */
  const neededValue = (schema: GraphQLSchema, needed: string, id: string, row: SourceRow | undefined): unknown => {
    if (row?.required !== undefined) return null;
    const [name = '', below] = needed.split(/[ {}]+/);
    const value = plainValue(schema, { ...row, id }, name);
    if (below === undefined || below === '') return value;
    // Only what the field set names.
    const within = (entry: unknown): unknown => {
      if (Array.isArray(entry)) return entry.map(within);
      return typeof entry === 'object' && entry !== null ? { [below]: plainValue(schema, entry, below) } : null;
    };
    return within(value);
  };
  /** A field without arguments; null where it fails. */
  const plainValue = (schema: GraphQLSchema, row: SourceRow, name: string): unknown => {
    const type = schema.getType(typeNameOf(row) ?? '');
    const field = isObjectType(type) ? type.getFields()[name] : undefined;
    if (field === undefined) return null;
    if (misbehavior.failing > 0 && hash(`fail ${name} ${row.id}`) % misbehavior.failing === 0) return null;
    return present(field.type, `${name} ${row.id} {}`);
  };
  /** A subgraph that knows an interface as an object names the interface. */
  const nameInterfaceObject = (value: unknown, type: GraphQLOutputType): unknown => {
    const named = getNamedType(type);
    if (!isObjectType(named) || !model.possible.has(named.name)) return value;
    const rename = (entry: unknown): unknown => {
      if (Array.isArray(entry)) return entry.map(rename);
      return typeof entry === 'object' && entry !== null ? { ...entry, __typename: named.name } : entry;
    };
    return rename(value);
  };

  const reference = (subgraph: string) => (given: Reference) => {
    const code = given.link?.code ?? given.code;
    const id = [given.id, given.sku].find((key) => typeof key === 'string') ?? String(code).slice(2);
    if (misbehavior.unknown > 0 && hash(`unknown ${subgraph} ${id}`) % misbehavior.unknown === 0) return null;
    // Where an interface is an entity its own subgraph names the concrete type; where it is an object nobody else is known.
    const abstract = model.possible.has(String(given['__typename'])) && !interfaceObjects.has(subgraph);
    return { __typename: abstract ? id.split('-')[0] : given['__typename'], id, required: given };
  };
  const reset = (): void => void (changes = 0);
  return { resolve, reference, reset };
}
export type World = ReturnType<typeof createWorld>;

/** What a reference brought of a field set; undefined: nothing. */
function requiredOf(row: SourceRow | undefined, needed: string): unknown {
  return row?.required?.[needed.split(' ')[0] ?? ''];
}

/** The type a row says it is of. */
export function typeNameOf(value: unknown): string | undefined {
  const name: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, '__typename') : undefined;
  return typeof name === 'string' ? name : undefined;
}

/** Gives every field of a schema the world's resolver. */
function bind(schema: GraphQLSchema, resolve: World['resolve']): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('_')) continue;
    for (const field of Object.values(type.getFields())) {
      if (!field.name.startsWith('_')) field.resolve = resolve;
    }
  }
  return schema;
}

/** What a subgraph is to whoever calls or serves it. */
export type PlainSubgraph = Pick<Subgraph, 'name' | 'sdl' | 'schema' | 'execute'>;

/** The model's subgraphs over a world, ready to be called; `called` sees each call. */
export function worldSources(
  model: RandomModel,
  world: World,
  called: (subgraph: string, variables: Readonly<Record<string, unknown>>) => void = () => undefined,
): readonly PlainSubgraph[] {
  return model.subgraphs.map(({ name, sdl }) => {
    const types = [...model.entities, ...model.possible.keys()];
    const known = types
      .filter((type) => new RegExp(`(type|interface) ${type} [^{]*@key`).test(sdl))
      .map((type) => [type, { __resolveReference: world.reference(name) }]);
    const modules = [{ typeDefs: parse(sdl), resolvers: Object.fromEntries(known) as object }];
    const schema = bind(buildSubgraphSchema(modules as Parameters<typeof buildSubgraphSchema>[0]), world.resolve);
    return {
      name,
      sdl,
      schema,
      execute: async ({ document, variables, operationName }) => {
        called(name, variables);
        const result = await execute({
          schema,
          document,
          variableValues: variables,
          operationName: operationName ?? null,
          typeResolver: typeNameOf,
          rootValue: {},
        });
        return { data: result.data ?? null, errors: result.errors ?? [], refusals: [], degraded: [] };
      },
    };
  });
}

/** The world behind the API schema itself, with no federation between: what the answer has to be. */
export function truthSchema(apiSchema: GraphQLSchema, world: World): GraphQLSchema {
  return bind(apiSchema, world.resolve);
}
