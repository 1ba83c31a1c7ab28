import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
  visit,
} from 'graphql';

import { collectFields, type FieldNodes } from './collect-fields.ts';
import { type Complete, completerOf } from './complete-value.ts';
import type { OnPrepared, Variants } from './prepared-variants.ts';

/** Coerced values of an operation's variables. */
export type Variables = Readonly<Record<string, unknown>>;

/** A field of a selection on one object type, prepared once for all rows and requests. */
export interface PreparedField {
  readonly key: string;
  readonly name: string;
  readonly nodes: FieldNodes;
  readonly parentType: GraphQLObjectType;
  readonly definition: GraphQLField<unknown, unknown>;
  readonly type: GraphQLOutputType;
  /** Null: the row's own property of that name. */
  readonly resolve: GraphQLFieldResolver<unknown, unknown> | null;
  readonly complete: Complete;
  /** Fields of its value on an object type. */
  readonly fieldsOf: FieldsOf;
}

/** @throws {GraphQLError} when a condition in the document cannot be read */
export type FieldsOf = (type: GraphQLObjectType, variables: Variables) => readonly PreparedField[];

/** An operation whose conditions are settled: requests with the same values of its conditions share it. */
export interface PreparedOperation {
  readonly operation: OperationDefinitionNode;
  readonly fragments: Readonly<Record<string, FragmentDefinitionNode>>;
  readonly fieldsOf: FieldsOf;
}

export interface PreparedDocument {
  readonly operation: OperationDefinitionNode;
  readonly prepared: (variables: Variables) => PreparedOperation;
}

/** What documents are prepared with: one schema. */
export interface Preparing {
  readonly schema: GraphQLSchema;
  readonly createVariants: () => Variants;
}

/** @returns the operation to run, or the error that says why there is none */
export function prepareDocument(
  { schema, createVariants }: Preparing,
  document: DocumentNode,
  operationName: string | undefined,
): PreparedDocument | GraphQLError {
  const found = findOperation(document, operationName);
  if (found instanceof GraphQLError) return found;
  const fragments = fragmentsOf(document);
  const prepareOperation = (onPrepared: OnPrepared): PreparedOperation => ({
    operation: found,
    fragments,
    fieldsOf: preparer({ schema, fragments, onPrepared }, [found.selectionSet]),
  });
  const conditions = conditionVariables(document);
  const variants = createVariants();
  const prepared = (variables: Variables): PreparedOperation =>
    variants.get(conditions.map((name) => String(variables[name])).join(), prepareOperation);
  return { operation: found, prepared };
}

interface Preparer {
  readonly schema: GraphQLSchema;
  readonly fragments: PreparedOperation['fragments'];
  readonly onPrepared: OnPrepared;
}

const NO_FIELDS: FieldsOf = () => [];

/** Remembers the fields of selection sets by the object type they are read on. */
function preparer(preparing: Preparer, sets: readonly SelectionSetNode[]): FieldsOf {
  const { schema, fragments, onPrepared } = preparing;
  const byType = new Map<GraphQLObjectType, readonly PreparedField[]>();
  const prepareField = (key: string, nodes: FieldNodes, parentType: GraphQLObjectType): PreparedField | null => {
    const name = nodes[0].name.value;
    const definition = definitionOf(schema, parentType, name);
    if (definition === undefined) return null;
    const { type, resolve = null } = definition;
    const below = nodes.flatMap(({ selectionSet }) => (selectionSet === undefined ? [] : [selectionSet]));
    const fieldsOf = below.length === 0 ? NO_FIELDS : preparer(preparing, below);
    return { key, name, nodes, parentType, definition, type, resolve, complete: completerOf(type), fieldsOf };
  };
  return (type, variables) => {
    const known = byType.get(type);
    if (known !== undefined) return known;
    const fields: PreparedField[] = [];
    for (const [key, nodes] of collectFields({ schema, fragments, variables }, type, sets)) {
      const field = prepareField(key, nodes, type);
      if (field !== null) fields.push(field);
    }
    byType.set(type, fields);
    onPrepared(fields.length);
    return fields;
  };
}

function definitionOf(
  schema: GraphQLSchema,
  parentType: GraphQLObjectType,
  name: string,
): GraphQLField<unknown, unknown> | undefined {
  if (name === TypeNameMetaFieldDef.name) return TypeNameMetaFieldDef;
  if (schema.getQueryType() === parentType) {
    if (name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef;
    if (name === TypeMetaFieldDef.name) return TypeMetaFieldDef;
  }
  return parentType.getFields()[name];
}

function findOperation(document: DocumentNode, name: string | undefined): OperationDefinitionNode | GraphQLError {
  const operations = document.definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);
  if (name !== undefined) {
    const named = operations.findLast((operation) => operation.name?.value === name);
    return named ?? new GraphQLError(`Unknown operation named "${name}".`);
  }
  const [first, second] = operations;
  if (second !== undefined)
    return new GraphQLError('Must provide operation name if query contains multiple operations.');
  return first ?? new GraphQLError('Must provide an operation.');
}

function fragmentsOf(document: DocumentNode): Record<string, FragmentDefinitionNode> {
  const fragments = Object.create(null) as Record<string, FragmentDefinitionNode>;
  for (const node of document.definitions) {
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments[node.name.value] = node;
  }
  return fragments;
}

/** Names of the variables that @skip and @include look at, sorted. */
function conditionVariables(document: DocumentNode): readonly string[] {
  const names = new Set<string>();
  visit(document, {
    Directive: ({ name, arguments: given = [] }) => {
      if (name.value !== 'skip' && name.value !== 'include') return;
      for (const { value } of given) if (value.kind === Kind.VARIABLE) names.add(value.name.value);
    },
  });
  return [...names].toSorted();
}
