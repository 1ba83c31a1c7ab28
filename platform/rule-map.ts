import { isInterfaceType, isObjectType, valueFromASTUntyped } from 'graphql';
import type { ConstDirectiveNode, GraphQLField, GraphQLNamedType, GraphQLSchema } from 'graphql';

import { isCategory } from '#schema/categories.ts';
import { SCOPES } from '#schema/model/request.ts';
import { isPurpose } from '#schema/purposes.ts';
import type { GovernedField } from '#schema/model/consent.ts';

/** What must hold before the field at `coordinate` may answer. */
export interface FieldRule {
  readonly coordinate: string;
  readonly typeName: string;
  readonly fieldName: string;
  /** Any one of the inner lists must be held completely; null: no scope needed. */
  readonly scopes: readonly (readonly string[])[] | null;
  /** A verified principal is needed. */
  readonly authenticated: boolean;
  /** The field is personal; null: it is not. */
  readonly governed: GovernedField | null;
  /** The field of the loaded row that holds its subjects; null when the type has none: a governed field is then refused. */
  readonly subjectsPath: string | null;
}

/** `Type.field` -> its rule; fields without a rule are absent. */
export type RuleMap = ReadonlyMap<string, FieldRule>;

const scopeNames: ReadonlySet<string> = new Set(SCOPES);
const accessDirectives = new Set(['requiresScopes', 'authenticated', 'policy']);

function argumentOf(directive: ConstDirectiveNode, name: string): unknown {
  const argument = directive.arguments?.find((entry) => entry.name.value === name);
  return argument === undefined ? undefined : valueFromASTUntyped(argument.value);
}

function textsOf(value: unknown): readonly string[] {
  const list = Array.isArray(value) ? value : [value];
  return list.filter((entry): entry is string => typeof entry === 'string');
}

function directivesOf(type: GraphQLNamedType): readonly ConstDirectiveNode[] {
  return [type.astNode, ...type.extensionASTNodes].flatMap((node) => node?.directives ?? []);
}

function readGoverned(coordinate: string, directive: ConstDirectiveNode | undefined): GovernedField | null {
  if (directive === undefined) return null;
  const category = String(argumentOf(directive, 'category'));
  const purposes = textsOf(argumentOf(directive, 'purposes'));
  if (!isCategory(category)) throw new Error(`${coordinate}: unknown category "${category}" (schema/categories.ts)`);
  const unknown = purposes.find((purpose) => !isPurpose(purpose));
  if (unknown !== undefined) throw new Error(`${coordinate}: unknown purpose "${unknown}" (schema/purposes.ts)`);
  return { coordinate, category, purposes };
}

function readScopes(
  coordinate: string,
  directive: ConstDirectiveNode | undefined,
): readonly (readonly string[])[] | null {
  if (directive === undefined) return null;
  const value = argumentOf(directive, 'scopes');
  const scopes = (Array.isArray(value) ? value : [value]).map(textsOf);
  const unknown = scopes.flat().find((scope) => !scopeNames.has(scope));
  if (unknown !== undefined) throw new Error(`${coordinate}: unknown scope "${unknown}" (schema/model/request.ts)`);
  if (scopes.length === 0 || scopes.some((all) => all.length === 0))
    throw new Error(`${coordinate}: empty list of scopes`);
  return scopes;
}

function readRule(
  type: GraphQLNamedType,
  field: GraphQLField<unknown, unknown>,
  subjectsPath: string | null,
): FieldRule | null {
  const coordinate = `${type.name}.${field.name}`;
  const directives = field.astNode?.directives ?? [];
  const find = (name: string) => directives.find((directive) => directive.name.value === name);
  if (find('policy') !== undefined) throw new Error(`${coordinate}: @policy is not enforced here; use @requiresScopes`);
  const governed = readGoverned(coordinate, find('personalData'));
  const scopes = readScopes(coordinate, find('requiresScopes'));
  const authenticated = find('authenticated') !== undefined;
  if (governed === null && scopes === null && !authenticated) return null;
  return { coordinate, typeName: type.name, fieldName: field.name, scopes, authenticated, governed, subjectsPath };
}

/** Rules live on fields of object types only: anywhere else they would not be enforced, so they are refused. */
function refuseMisplaced(type: GraphQLNamedType): void {
  const onType = directivesOf(type).find((directive) => accessDirectives.has(directive.name.value));
  if (onType !== undefined) throw new Error(`${type.name}: @${onType.name.value} belongs on fields, not on the type`);
}

/** An interface's rules are never executed: each implementing type must carry its own. */
function refuseUnimplemented(schema: GraphQLSchema, rules: RuleMap): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isInterfaceType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      if (readRule(type, field, null) === null) continue;
      const bare = schema.getImplementations(type).objects.find((object) => !rules.has(`${object.name}.${field.name}`));
      if (bare !== undefined)
        throw new Error(`${bare.name}.${field.name}: the rule of ${type.name}.${field.name} is missing`);
    }
  }
}

/**
 * Every rule the SDL states, read from @personalData, @requiresScopes and @authenticated of the built schema.
 * @throws {Error} naming the coordinate, when a directive names something no registry knows or stands where it would
 * not be enforced.
 */
export function buildRuleMap(schema: GraphQLSchema): RuleMap {
  const rules = new Map<string, FieldRule>();
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__')) continue;
    refuseMisplaced(type);
    if (!isObjectType(type)) continue;
    const subject = directivesOf(type).find((directive) => directive.name.value === 'subject');
    const subjectsPath = subject === undefined ? null : String(argumentOf(subject, 'path'));
    for (const field of Object.values(type.getFields())) {
      const rule = readRule(type, field, subjectsPath);
      if (rule !== null) rules.set(rule.coordinate, rule);
    }
  }
  refuseUnimplemented(schema, rules);
  return rules;
}
