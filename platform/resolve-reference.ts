import { isInterfaceType, isObjectType } from 'graphql';
import type { GraphQLResolveInfo, GraphQLNamedType } from 'graphql';

/** Resolves one entity reference, as @apollo/subgraph calls it. */
export type ResolveReference = (reference: object, context: unknown, info: GraphQLResolveInfo) => unknown;

/** The type's `__resolveReference`; undefined when it has none (it then echoes the caller's representation). */
export function resolveReferenceOf(type: GraphQLNamedType | null | undefined): ResolveReference | undefined {
  if (!isObjectType(type) && !isInterfaceType(type)) return undefined;
  // @apollo/subgraph 2.15 keeps it in the type's extensions, which graphql types as unknown.
  const extensions = type.extensions as {
    readonly apollo?: { readonly subgraph?: { readonly resolveReference?: ResolveReference } };
  };
  return extensions.apollo?.subgraph?.resolveReference;
}

function copyOf(row: unknown): unknown {
  if (typeof row !== 'object' || row === null || row instanceof Error) return row;
  const prototype: unknown = Object.getPrototypeOf(row);
  if (prototype === Object.prototype || prototype === null) return { ...row };
  return Object.create(prototype as object, Object.getOwnPropertyDescriptors(row));
}

/**
 * The same reference resolver, answering a shallow copy: @apollo/subgraph writes `__typename` on the answer, which fails
 * on frozen rows and would change cached ones. A thrown error costs only its own entity.
 */
export function copyingReferences(resolve: ResolveReference): ResolveReference {
  return async (reference, context, info) => copyOf(await resolve(reference, context, info));
}
