import {
  type ConstDirectiveNode,
  type DefinitionNode,
  type DocumentNode,
  type EnumTypeDefinitionNode,
  type FieldDefinitionNode,
  type InterfaceTypeDefinitionNode,
  Kind,
  type ObjectTypeDefinitionNode,
  type ScalarTypeDefinitionNode,
  valueFromASTUntyped,
} from 'graphql';

/** What `@authenticated` and `@requiresScopes` ask of a caller. */
export interface AccessRule {
  /** One of the inner lists must be held completely; null: no scope needed. */
  readonly scopes: readonly (readonly string[])[] | null;
  readonly authenticated: boolean;
}

type Named = (name: 'authenticated' | 'requiresScopes') => string;

/**
 * `Type.field` -> what it needs, of a whole supergraph; fields that need nothing are absent. A field needs what it says
 * itself, what its type says and what the type of its answer says, all together: rules also stand on objects, interfaces,
 * scalars and enums. An interface’s rule that none of its types has holds for all of them: older compositions let it be
 * passed by through the types.
 * @param named the name a directive has in this supergraph
 */
export function readAccessRules(supergraph: DocumentNode, named: Named): ReadonlyMap<string, AccessRule> {
  const read = (directives: readonly ConstDirectiveNode[] | undefined): AccessRule => {
    const find = (name: string) => directives?.find((directive) => directive.name.value === name);
    const scopes = find(named('requiresScopes'));
    return {
      authenticated: find(named('authenticated')) !== undefined,
      scopes: scopes === undefined ? null : readScopes(scopes),
    };
  };
  const types = supergraph.definitions.filter(mayHaveRules);
  const own = new Map<string, AccessRule>();
  for (const type of types) {
    own.set(type.name.value, read(type.directives));
    for (const field of fieldsOf(type)) own.set(`${type.name.value}.${field.name.value}`, read(field.directives));
  }
  const inherited = inheritedRules(types, own);
  const rules = types.flatMap((type) =>
    fieldsOf(type).map((field): [string, AccessRule] => {
      const coordinate = `${type.name.value}.${field.name.value}`;
      let answer = field.type;
      while (answer.kind !== Kind.NAMED_TYPE) answer = answer.type;
      const all = [type.name.value, coordinate, answer.name.value].flatMap((place) => [
        own.get(place) ?? NO_RULE,
        inherited.get(place) ?? NO_RULE,
      ]);
      return [coordinate, all.reduce(bothOf)];
    }),
  );
  return new Map(rules.filter(([, rule]) => asksAnything(rule)));
}

const NO_RULE: AccessRule = { scopes: null, authenticated: false };

const asksAnything = ({ scopes, authenticated }: AccessRule): boolean => scopes !== null || authenticated;

/** Both rules at once: any alternative of the one together with any of the other. */
function bothOf(one: AccessRule, other: AccessRule): AccessRule {
  const authenticated = one.authenticated || other.authenticated;
  if (one.scopes === null || other.scopes === null) return { authenticated, scopes: one.scopes ?? other.scopes };
  const { scopes } = one;
  const pairs = other.scopes.flatMap((right) => scopes.map((left) => [...new Set([...left, ...right])]));
  return { authenticated, scopes: pairs };
}

type RuledType =
  | ObjectTypeDefinitionNode
  | InterfaceTypeDefinitionNode
  | ScalarTypeDefinitionNode
  | EnumTypeDefinitionNode;

function mayHaveRules(node: DefinitionNode): node is RuledType {
  return (
    node.kind === Kind.OBJECT_TYPE_DEFINITION ||
    node.kind === Kind.INTERFACE_TYPE_DEFINITION ||
    node.kind === Kind.SCALAR_TYPE_DEFINITION ||
    node.kind === Kind.ENUM_TYPE_DEFINITION
  );
}

const fieldsOf = (type: RuledType): readonly FieldDefinitionNode[] => ('fields' in type ? (type.fields ?? []) : []);

/** Place of an object type -> the rule an interface of it has alone. */
function inheritedRules(types: readonly RuledType[], own: ReadonlyMap<string, AccessRule>) {
  const inherited = new Map<string, AccessRule>();
  for (const type of types) {
    if (type.kind !== Kind.INTERFACE_TYPE_DEFINITION) continue;
    const name = type.name.value;
    const objects = types.filter(
      (other) =>
        other.kind === Kind.OBJECT_TYPE_DEFINITION &&
        other.interfaces?.some((implemented) => implemented.name.value === name) === true,
    );
    for (const suffix of ['', ...fieldsOf(type).map((field) => `.${field.name.value}`)]) {
      const rule = own.get(`${name}${suffix}`) ?? NO_RULE;
      const places = objects.map((object) => `${object.name.value}${suffix}`);
      if (!asksAnything(rule) || places.some((place) => asksAnything(own.get(place) ?? NO_RULE))) continue;
      for (const place of places) inherited.set(place, bothOf(inherited.get(place) ?? NO_RULE, rule));
    }
  }
  return inherited;
}

function readScopes(directive: ConstDirectiveNode): readonly (readonly string[])[] {
  const argument = directive.arguments?.find(({ name }) => name.value === 'scopes');
  const value: unknown = argument === undefined ? [] : valueFromASTUntyped(argument.value);
  // GraphQL takes a single value for a list of one.
  return toList(value).map((all) => toList(all).map(String));
}

const toList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);
