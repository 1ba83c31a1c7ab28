import { defaultFieldResolver, type GraphQLFieldResolver, type GraphQLSchema } from 'graphql';

const renewals = new WeakMap<object, () => void>();

/** Names what forgets the values read so far in the fetch whose context value this is. */
export function bindRenewal(context: object, renew: () => void): void {
  renewals.set(context, renew);
}

function renewing(resolve: GraphQLFieldResolver<unknown, object>): GraphQLFieldResolver<unknown, object> {
  return async (row, args, context, info) => {
    try {
      return await resolve(row, args, context, info);
    } finally {
      // Also when it failed: it may have changed something before.
      renewals.get(context)?.();
    }
  };
}

/**
 * Makes, in place, every field of Mutation renew its fetch when it has run: what is selected below it, the next field and
 * later fetches read anew. Fields of Mutation run one after the other, so nothing else is reading meanwhile.
 */
export function applyRenewals(schema: GraphQLSchema): GraphQLSchema {
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {}))
    field.resolve = renewing(field.resolve ?? defaultFieldResolver);
  return schema;
}
