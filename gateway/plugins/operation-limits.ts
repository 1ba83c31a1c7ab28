import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  getNamedType,
  getNullableType,
  getVariableValues,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  isCompositeType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

import { assertIntrospectionLimits } from './introspection-limits.ts';
import { createArgumentReader } from './read-arguments.ts';
import { fragmentsOf } from '#gateway/auth/document-coordinates.ts';
import type { LimitsConfig } from '#gateway/config-schema.ts';
import { isIntrospection } from '#gateway/executor/introspection.ts';
import { requestError } from '#gateway/http/request-error.ts';
import type { ListSize, Policy } from '#gateway/policy.ts';
import type { ErrorCode } from '#platform/errors.ts';

export interface LimitedOperation {
  readonly schema: GraphQLSchema;
  readonly policy: Policy;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly limits: LimitsConfig;
}

/** Rows of a list whose length nothing states. */
const ASSUMED_ROWS = 10;
/** Each may answer the whole schema, worked out at once; editors and generators ask one. */
const MAX_INTROSPECTIONS = 3;
/** Fields visited at most for each token allowed: fragments spread in fragments can multiply without end. */
const VISITED_FIELDS_PER_TOKEN = 2.5;

interface Place {
  readonly type: GraphQLNamedType;
  readonly depth: number;
  /** Objects of this type the answer may hold. */
  readonly rows: number;
  /** The list size the parent's arguments gave to these fields of it. */
  readonly sized: { readonly fields: readonly string[]; readonly rows: number } | null;
}

/**
 * Refuses a validated operation that asks for too much: depth and root fields with fragments followed, page sizes and
 * lists in literals and variables, the number of objects the answer may hold by its page sizes, and introspection.
 * @throws {GraphQLError} LIMIT_DEPTH, LIMIT_ROOT_FIELDS, LIMIT_LIST or LIMIT_COST (whole request)
 */
export function assertOperationLimits(limited: LimitedOperation): void {
  const { schema, operation, limits } = limited;
  const { coerced } = getVariableValues(schema, operation.variableDefinitions ?? [], limited.variables, {
    maxErrors: 1,
  });
  // Variables that do not fit are told by execution, with their own message.
  if (coerced === undefined) return;
  const walk = createWalk(limited, coerced);
  const root = schema.getRootType(operation.operation);
  if (root === undefined || root === null) return;
  walk.visitSet(operation.selectionSet, { type: root, depth: 1, rows: 1, sized: null });
  const { rootFields, introspections, cost } = walk.totals();
  refuseIf(
    rootFields > limits.rootFields,
    'LIMIT_ROOT_FIELDS',
    `The document has ${rootFields} root fields; at most ${limits.rootFields}.`,
  );
  refuseIf(
    introspections.length > MAX_INTROSPECTIONS,
    'LIMIT_ROOT_FIELDS',
    `The document introspects ${introspections.length} times; at most ${MAX_INTROSPECTIONS}.`,
  );
  refuseIf(cost > limits.cost, 'LIMIT_COST', `The answer may hold ${cost} objects; at most ${limits.cost}.`);
  assertIntrospectionLimits({ ...walk, schema }, introspections);
}

function createWalk({ schema, policy, document, limits }: LimitedOperation, variables: Record<string, unknown>) {
  const fragments: ReadonlyMap<string, FragmentDefinitionNode> = fragmentsOf(document);
  const readArguments = createArgumentReader(variables);
  const mostFields = limits.tokens * VISITED_FIELDS_PER_TOKEN;
  let visited = 0;
  let rootFields = 0;
  const introspections: FieldNode[] = [];
  let cost = 0;

  const visitSet = (set: SelectionSetNode, place: Place): void => {
    for (const node of set.selections) {
      if (node.kind === Kind.FIELD) visitField(node, place);
      else if (node.kind === Kind.INLINE_FRAGMENT)
        visitSet(node.selectionSet, conditioned(node.typeCondition?.name.value, place));
      else {
        const fragment = fragments.get(node.name.value);
        if (fragment !== undefined)
          visitSet(fragment.selectionSet, conditioned(fragment.typeCondition.name.value, place));
      }
    }
  };
  const conditioned = (name: string | undefined, place: Place): Place => {
    const type = name === undefined ? undefined : schema.getType(name);
    return type === undefined ? place : { ...place, type };
  };
  const visitField = (node: FieldNode, place: Place): void => {
    visited += 1;
    refuseIf(visited > mostFields, 'LIMIT_COST', `The document has more than ${mostFields} fields.`);
    refuseIf(
      place.depth > limits.depth,
      'LIMIT_DEPTH',
      `The document is nested more than ${limits.depth} levels deep.`,
    );
    if (place.depth === 1) {
      rootFields += 1;
      if (isIntrospection(node.name.value)) introspections.push(node);
    }
    const { type } = place;
    // Introspection is counted apart, and costs no upstream.
    if (node.name.value.startsWith('__')) return;
    const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[node.name.value] : undefined;
    if (field === undefined) return;
    const coordinate = `${type.name}.${field.name}`;
    const values = readArguments(field, node);
    assertLists(coordinate, values, limits);
    const named = getNamedType(field.type);
    if (node.selectionSet === undefined || !isCompositeType(named)) return;
    const size = policy.listSizes.get(coordinate);
    const rows = place.rows * rowsOf(field, place, size, values);
    cost += rows * (policy.costs.get(coordinate) ?? 1);
    const sized =
      size === undefined || size.sizedFields.length === 0
        ? null
        : { fields: size.sizedFields, rows: slice(size, values) };
    visitSet(node.selectionSet, { type: named, depth: place.depth + 1, rows, sized });
  };
  return { fragments, readArguments, visitSet, totals: () => ({ rootFields, introspections, cost }) };
}

function rowsOf(
  field: GraphQLField<unknown, unknown>,
  place: Place,
  size: ListSize | undefined,
  values: Readonly<Record<string, unknown>>,
): number {
  if (place.sized?.fields.includes(field.name) === true) return place.sized.rows;
  if (!isListType(getNullableType(field.type))) return 1;
  return size === undefined ? ASSUMED_ROWS : slice(size, values);
}

/** The largest of the slicing arguments (a number, or a list's length), else the assumed size. */
function slice(size: ListSize, values: Readonly<Record<string, unknown>>): number {
  const given = size.slicingArguments.flatMap((name) => {
    const value = values[name];
    if (Array.isArray(value)) return [value.length];
    return typeof value === 'number' ? [value] : [];
  });
  return given.length > 0 ? Math.max(...given) : (size.assumedSize ?? ASSUMED_ROWS);
}

function assertLists(coordinate: string, values: Readonly<Record<string, unknown>>, limits: LimitsConfig): void {
  for (const name of ['first', 'last']) {
    const rows = values[name];
    const outside = typeof rows === 'number' && (rows < 1 || rows > limits.pageSize);
    refuseIf(
      outside,
      'LIMIT_LIST',
      `${coordinate}(${name}:) is ${String(rows)}; it must be 1 to ${limits.pageSize}.`,
      name,
    );
  }
  for (const [name, value] of Object.entries(values)) {
    const length = longestList(value);
    refuseIf(
      length > limits.listSize,
      'LIMIT_LIST',
      `${coordinate}(${name}:) has ${length} items; at most ${limits.listSize}.`,
      name,
    );
  }
}

/** Length of the longest list in an argument value; depth is bounded by the input types and the body size. */
function longestList(value: unknown): number {
  if (Array.isArray(value)) return Math.max(value.length, ...value.slice(0, 1_000).map(longestList));
  if (typeof value !== 'object' || value === null) return 0;
  return Math.max(0, ...Object.values(value).map(longestList));
}

function refuseIf(broken: boolean, code: ErrorCode, message: string, argument?: string): void {
  if (broken) throw requestError(code, message, argument === undefined ? {} : { argument });
}
