import { isEnumType, isObjectType, isScalarType } from 'graphql';
import type { GraphQLFieldResolver, GraphQLNamedType, GraphQLSchema } from 'graphql';

import { resolveReferenceOf } from './resolve-reference.ts';
import type { SubgraphContext } from './subgraph.ts';

/* oxlint-disable typescript/no-explicit-any -- graphql types rows and arguments as any; each resolver narrows its own. */
/** A field resolver of a subgraph. */
export type Resolver<Loaders> = GraphQLFieldResolver<any, SubgraphContext<Loaders>>;
/** `__resolveReference`: an entity reference to its row, or null. */
type ReferenceResolver<Loaders> = (reference: any, context: SubgraphContext<Loaders>) => unknown;
/** `__resolveType` of a union or interface: the row's type name. */
type TypeResolver = (row: any) => string;
/* oxlint-enable typescript/no-explicit-any */

/** The resolvers of one type: `__resolveReference` on entity types, `__resolveType` on unions and interfaces. */
type TypeResolvers<Loaders> = {
  readonly __resolveReference?: ReferenceResolver<Loaders>;
  readonly __resolveType?: TypeResolver;
} & { readonly [field: string]: Resolver<Loaders> };

/** Type -> field -> resolver. */
export type ResolverMap<Loaders> = Readonly<Record<string, TypeResolvers<Loaders>>>;

const special = new Set(['__resolveReference', '__resolveType', '__isTypeOf']);

function checkType(type: GraphQLNamedType | undefined, name: string, entries: Readonly<Record<string, unknown>>): void {
  if (type === undefined) throw new Error(`resolvers name the type ${name}, which the SDL lacks`);
  if (!isObjectType(type)) {
    if (isScalarType(type) || isEnumType(type)) throw new Error(`resolvers may not replace the shared type ${name}`);
    return;
  }
  const fields = type.getFields();
  const unknown = Object.keys(entries).find((field) => !special.has(field) && fields[field] === undefined);
  if (unknown !== undefined) throw new Error(`resolvers name ${name}.${unknown}, which the SDL lacks`);
}

/**
 * Refuses resolvers that would be ignored, and entity types about people that would echo the caller's representation.
 * @throws {Error} naming the type or field.
 */
export function checkResolvers(schema: GraphQLSchema, resolvers: Readonly<Record<string, object>>): void {
  for (const [name, entries] of Object.entries(resolvers)) {
    checkType(schema.getType(name), name, entries as Readonly<Record<string, unknown>>);
  }
  for (const type of Object.values(schema.getTypeMap())) {
    const names = [type.astNode, ...type.extensionASTNodes].flatMap((node) => node?.directives ?? []);
    const has = (directive: string) => names.some((node) => node.name.value === directive);
    if (!isObjectType(type) || !has('key') || !has('subject')) continue;
    if (resolveReferenceOf(type) === undefined)
      throw new Error(`${type.name} is about people and needs a __resolveReference`);
  }
}
