import {
  type FieldNode,
  type FragmentDefinitionNode,
  getIntrospectionQuery,
  getNamedType,
  getNullableType,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  isListType,
  isObjectType,
  Kind,
  parse,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
} from 'graphql';

import { createArgumentReader, type ReadArguments } from './read-arguments.ts';
import { fragmentsOf } from '#gateway/auth/document-coordinates.ts';
import { isIntrospection } from '#gateway/executor/introspection.ts';
import { requestError } from '#gateway/http/request-error.ts';

export interface IntrospectionAsked {
  readonly schema: GraphQLSchema;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly readArguments: ReadArguments;
}

/** Of what the fullest query of tools answers; some ask for the root types once more, or introspect beside their work. */
const TIMES_FULLEST = 2;
/** About 15 ms; small schemas may be asked in any way. */
const ALWAYS_ALLOWED = 10_000;

/** Every option of graphql's own; GraphiQL, Sandbox and graphql-codegen ask for a part of it. */
const FULLEST = parse(
  getIntrospectionQuery({
    specifiedByUrl: true,
    directiveIsRepeatable: true,
    schemaDescription: true,
    inputValueDeprecation: true,
    experimentalDirectiveDeprecation: true,
    oneOf: true,
  }),
  { noLocation: true },
);

const allowed = new WeakMap<GraphQLSchema, number>();

/**
 * Refuses `__schema` and `__type` that answer more than twice what the fullest query of tools does: the answer is worked
 * out at once, and aliases in aliases multiply it without going deeper than validation allows. Costs a quarter of the
 * answer at most: what a selection answers of one type is counted once.
 * @throws {GraphQLError} LIMIT_COST (whole request)
 */
export function assertIntrospectionLimits(asked: IntrospectionAsked, nodes: readonly FieldNode[]): void {
  if (nodes.length === 0) return;
  const most = allowed.get(asked.schema) ?? allowedFields(asked.schema);
  allowed.set(asked.schema, most);
  if (countIntrospected(asked, nodes, most) > most)
    throw requestError('LIMIT_COST', `The introspection answers more than ${most} fields; ask for less of the schema.`);
}

function allowedFields(schema: GraphQLSchema): number {
  const nodes = FULLEST.definitions.flatMap((definition) =>
    definition.kind === Kind.OPERATION_DEFINITION ? definition.selectionSet.selections : [],
  );
  const asked = { schema, fragments: fragmentsOf(FULLEST), readArguments: createArgumentReader({}) };
  const fields = nodes.filter((node) => node.kind === Kind.FIELD);
  return Math.max(ALWAYS_ALLOWED, TIMES_FULLEST * countIntrospected(asked, fields, Infinity));
}

/**
 * Fields the answer holds, and items of lists of names; a field that is written twice at one place counts twice. Read from
 * the schema itself, so it is no estimate. Once it is known to be more than `most`, any larger number.
 */
export function countIntrospected(
  { schema, fragments, readArguments }: IntrospectionAsked,
  nodes: readonly FieldNode[],
  most: number,
): number {
  const known = new Map<SelectionSetNode, Map<unknown, number>>();
  let visited = 0;
  // Resolvers of introspection look at nothing else.
  const info = { schema } as GraphQLResolveInfo;

  const countSet = (set: SelectionSetNode, type: GraphQLObjectType, source: unknown): number => {
    const bySource = known.get(set) ?? new Map<unknown, number>();
    known.set(set, bySource);
    const counted = bySource.get(source);
    if (counted !== undefined) return counted;
    if (visited > most) return Infinity;
    let fields = 0;
    for (const node of set.selections) {
      if (node.kind === Kind.FIELD) fields += countField(type.getFields()[node.name.value], node, source);
      else {
        const body = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value);
        if (body !== undefined) fields += countSet(body.selectionSet, type, source);
      }
    }
    bySource.set(source, fields);
    return fields;
  };
  // Undefined: __typename.
  const countField = (field: GraphQLField<unknown, unknown> | undefined, node: FieldNode, source: unknown): number => {
    visited += 1;
    // Each visit is of another field or another place: at least as many are answered.
    if (visited > most) return Infinity;
    if (field?.resolve === undefined) return 1;
    const isList = isListType(getNullableType(field.type));
    const type = getNamedType(field.type);
    if (!isList && !isObjectType(type)) return 1;
    const value: unknown = field.resolve(source, readArguments(field, node), null, info);
    const values = isList && Array.isArray(value) ? (value as readonly unknown[]) : [value];
    const { selectionSet } = node;
    if (selectionSet === undefined || !isObjectType(type)) return 1 + values.length;
    let fields = 1;
    for (const item of values) if (item !== null && item !== undefined) fields += countSet(selectionSet, type, item);
    return fields;
  };

  let fields = 0;
  for (const node of nodes) {
    if (isIntrospection(node.name.value))
      fields += countField(node.name.value === '__type' ? TypeMetaFieldDef : SchemaMetaFieldDef, node, undefined);
  }
  return fields;
}
