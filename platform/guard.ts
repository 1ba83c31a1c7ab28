import { defaultFieldResolver, isObjectType } from 'graphql';
import type { GraphQLFieldResolver, GraphQLSchema } from 'graphql';

import { decideAccess } from './field-access.ts';
import { answerWithheld } from './withheld.ts';
import type { Access } from './field-access.ts';
import type { FieldRule, RuleMap } from './rule-map.ts';
import type { SubgraphContext } from './subgraph.ts';

type Resolver = GraphQLFieldResolver<unknown, SubgraphContext>;

function guarded(rule: FieldRule, resolve: Resolver): Resolver {
  return (row, args, context, info) => {
    const answer = (access: Access): unknown =>
      access.kind === 'open'
        ? resolve(row, args, context, info)
        : answerWithheld(rule, access, row, { context, path: info.path });
    const access = decideAccess(rule, row, context);
    return access instanceof Promise ? access.then(answer) : answer(access);
  };
}

/**
 * Guards the ruled fields of a freshly built schema in place, from the same rule map and the same decision as
 * {@link applyShield}, without a promise where none is needed: for subgraphs with wide lists of ruled leaves.
 * @throws {Error} when a rule names a field the schema lacks.
 */
export function applyGuard(schema: GraphQLSchema, rules: RuleMap): GraphQLSchema {
  for (const rule of rules.values()) {
    const type = schema.getType(rule.typeName);
    const field = isObjectType(type) ? type.getFields()[rule.fieldName] : undefined;
    if (field === undefined) throw new Error(`no field ${rule.coordinate} to guard`);
    field.resolve = guarded(rule, field.resolve ?? defaultFieldResolver);
  }
  return schema;
}
