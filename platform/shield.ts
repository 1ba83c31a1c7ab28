// The one door to graphql-shield 7.6.5 and graphql-middleware 6.1.35. Nothing else imports them.
//
// - shield's ES build does not load on Node >= 23 (`util.isUndefined` is gone), and CommonJS shield does not work with
//   ES graphql-middleware: both come through `createRequire`. Gone when `import 'graphql-shield'` works on Node 24.
// - `chain` and `race` always deny, `not(rule)` fails open when the rule throws, the `contextual` cache reuses the first
//   row's verdict for every row, `strict` hashes rows: only one uniquely named boolean `no_cache` rule per field is used.
// - shield wraps every field, ruled or not (5x on wide answers): only the ruled fields of what it generates are applied.
// - `allowExternalErrors: true` would return a thrown non-error as if it were the value: `fallbackError` hands errors on.
import { createRequire } from 'node:module';

import { isObjectType } from 'graphql';
import type { GraphQLResolveInfo, GraphQLSchema } from 'graphql';

import { decideAccess } from './field-access.ts';
import { resolveReferenceOf } from './resolve-reference.ts';
import { answerWithheld } from './withheld.ts';
import type { Access } from './field-access.ts';
import type { FieldRule, RuleMap } from './rule-map.ts';
import type { SubgraphContext } from './subgraph.ts';

type Withheld = Exclude<Access, { kind: 'open' }>;
type RuleFunction = (
  row: unknown,
  args: unknown,
  context: SubgraphContext,
  info: GraphQLResolveInfo,
) => Promise<boolean>;
type FallbackError = (
  error: unknown,
  ...field: [row: unknown, args: unknown, context: SubgraphContext, info: GraphQLResolveInfo]
) => unknown;
type Middleware = Record<string, Record<string, unknown>>;

interface ShieldModule {
  readonly rule: (name: string, options: { cache: 'no_cache' }) => (decide: RuleFunction) => unknown;
  readonly shield: (
    tree: Middleware,
    options: { allowExternalErrors: boolean; debug: boolean; fallbackError: FallbackError },
  ) => { readonly generate: (schema: GraphQLSchema) => Middleware };
}

interface MiddlewareModule {
  readonly applyMiddleware: (schema: GraphQLSchema, middleware: Middleware) => GraphQLSchema;
}

const require = createRequire(import.meta.url);
// The casts narrow untyped CommonJS modules to the few functions used here; the tests run them for real.
const graphqlShield = require('graphql-shield') as ShieldModule;
const graphqlMiddleware = require('graphql-middleware') as MiddlewareModule;

function ruleTree(rules: RuleMap, withheld: WeakMap<GraphQLResolveInfo, Withheld>): Middleware {
  const tree: Middleware = {};
  for (const rule of rules.values()) {
    const decide: RuleFunction = async (row, _args, context, info) => {
      const access = await decideAccess(rule, row, context);
      if (access.kind === 'open') return true;
      withheld.set(info, access);
      return false;
    };
    const fields = (tree[rule.typeName] ??= {});
    fields[rule.fieldName] = graphqlShield.rule(`mortar:${rule.coordinate}`, { cache: 'no_cache' })(decide);
  }
  return tree;
}

function onlyRuled(generated: Middleware, rules: RuleMap): Middleware {
  const ruled: Middleware = {};
  for (const { typeName, fieldName, coordinate } of rules.values()) {
    const wrapper = generated[typeName]?.[fieldName];
    if (wrapper === undefined) throw new Error(`graphql-shield generated no rule for ${coordinate}`);
    (ruled[typeName] ??= {})[fieldName] = wrapper;
  }
  return ruled;
}

/** Older versions of graphql-middleware lost `__resolveReference`; a type without it echoes the caller's own values. */
function assertReferencesSurvive(before: GraphQLSchema, after: GraphQLSchema): void {
  for (const type of Object.values(before.getTypeMap())) {
    if (!isObjectType(type)) continue;
    const copy = after.getType(type.name);
    if (resolveReferenceOf(copy) !== resolveReferenceOf(type))
      throw new Error(`${type.name} lost its __resolveReference`);
  }
}

function ruleAt(rules: RuleMap, info: GraphQLResolveInfo): FieldRule {
  const rule = rules.get(`${info.parentType.name}.${info.fieldName}`);
  if (rule === undefined) throw new Error(`no rule at ${info.parentType.name}.${info.fieldName}`);
  return rule;
}

/**
 * A copy of the schema whose ruled fields are guarded by graphql-shield. A refused field answers null and adds a notice,
 * a missing scope answers SCOPE_REQUIRED, a resolver's own error passes unchanged (mask it afterwards).
 * @throws {Error} when a rule names a field the schema lacks, or when `__resolveReference` would be lost.
 */
export function applyShield(schema: GraphQLSchema, rules: RuleMap): GraphQLSchema {
  if (rules.size === 0) return schema;
  const withheld = new WeakMap<GraphQLResolveInfo, Withheld>();
  const fallbackError: FallbackError = (error, ...[row, , context, info]) => {
    if (error instanceof Error) return error;
    if (error !== null) return new Error('a resolver threw something that is not an error');
    return answerWithheld(ruleAt(rules, info), withheld.get(info), row, { context, path: info.path });
  };
  const options = { allowExternalErrors: false, debug: false, fallbackError };
  const generated = graphqlShield.shield(ruleTree(rules, withheld), options).generate(schema);
  const guarded = graphqlMiddleware.applyMiddleware(schema, onlyRuled(generated, rules));
  assertReferencesSurvive(schema, guarded);
  return guarded;
}
