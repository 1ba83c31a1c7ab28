import {
  type ArgumentNode,
  type DocumentNode,
  type FieldNode,
  getArgumentValues,
  getVariableValues,
  type GraphQLField,
  type GraphQLSchema,
  Kind,
  OperationTypeNode,
  type OperationDefinitionNode,
  parseType,
  print,
  separateOperations,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';

import type { LiveOperation } from '#gateway/executor/context.ts';
import { requestError } from '#gateway/http/request-error.ts';
import type { LiveField, Policy } from '#gateway/policy.ts';

/** The query that reads the events of one subscription. */
export interface TwinQuery {
  /** The same for every event, so that it is parsed, validated and planned once. */
  readonly text: string;
  readonly operationName: string | undefined;
  /** The field of Subscription. */
  readonly field: string;
  /** The client's arguments. */
  readonly arguments: Readonly<Record<string, unknown>>;
  /** The variables of an event over these keys; null: all. */
  readonly variablesFor: (keys: readonly string[] | null) => Readonly<Record<string, unknown>>;
}

export interface TwinOptions {
  readonly schema: GraphQLSchema;
  readonly live: Policy['live'];
}

interface Found {
  readonly node: FieldNode;
  readonly definition: GraphQLField<unknown, unknown>;
  readonly twin: LiveField;
}

/**
 * Rewrites a subscription to the query of its twin: same selections, fragments, directives and response key.
 * @throws {GraphQLError} OPERATION_RESOLUTION_FAILURE: the field has no twin here; BAD_USER_INPUT: variables do not fit
 */
export function toTwinQuery(subscription: LiveOperation, { schema, live }: TwinOptions): TwinQuery {
  const { operation, variables } = subscription;
  const name = operation.name?.value;
  const document = separateOperations(subscription.document)[name ?? ''] ?? subscription.document;
  const { coerced, errors } = getVariableValues(schema, operation.variableDefinitions ?? [], variables);
  if (coerced === undefined) throw requestError('BAD_USER_INPUT', errors[0]?.message);
  const found = findRoot(schema, document, live);
  const values = getArgumentValues(found.definition, found.node, coerced);
  const watched = values[found.twin.keys];
  const keysVariable = Array.isArray(watched) ? freeVariable(operation) : null;
  return {
    text: print(withoutUnusedVariables(rewrite(document, { schema, found, keysVariable }))),
    operationName: name,
    field: found.definition.name,
    arguments: values,
    variablesFor: (keys) => {
      if (keysVariable === null || !Array.isArray(watched)) return variables;
      const changed = new Set(keys);
      // In the order asked, which is the order of the twin's answer.
      const asked = keys === null ? watched : watched.filter((key) => changed.has(String(key)));
      return { ...variables, [keysVariable]: asked };
    },
  };
}

/** The one root field; validation has seen that there is one. */
function findRoot(schema: GraphQLSchema, document: DocumentNode, live: Policy['live']): Found {
  const types = new TypeInfo(schema);
  const root = schema.getSubscriptionType();
  let found: Found | null = null;
  const enter = (node: FieldNode): void => {
    const definition = types.getFieldDef();
    if (root === undefined || root === null || types.getParentType() !== root || definition == null) return;
    const twin = live.get(`${root.name}.${definition.name}`);
    if (twin === undefined) {
      throw requestError('OPERATION_RESOLUTION_FAILURE', `Subscription.${definition.name} is not answered here.`);
    }
    found = { node, definition, twin };
  };
  visit(document, visitWithTypeInfo(types, { Field: { enter } }));
  if (found === null) throw requestError('OPERATION_RESOLUTION_FAILURE');
  return found;
}

interface Rewriting {
  readonly schema: GraphQLSchema;
  readonly found: Found;
  readonly keysVariable: string | null;
}

function rewrite(document: DocumentNode, { schema, found, keysVariable }: Rewriting): DocumentNode {
  const types = new TypeInfo(schema);
  const subscription = schema.getSubscriptionType();
  const query = schema.getQueryType()?.name ?? 'Query';
  const keysArgument: ArgumentNode | null =
    keysVariable === null
      ? null
      : {
          kind: Kind.ARGUMENT,
          name: { kind: Kind.NAME, value: found.twin.keys },
          value: { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: keysVariable } },
        };
  const leaveField = (node: FieldNode): FieldNode | undefined => {
    if (types.getParentType() !== subscription) return undefined;
    const kept = node.arguments?.filter(({ name }) => keysArgument === null || name.value !== keysArgument.name.value);
    return {
      ...node,
      alias: node.alias ?? { kind: Kind.NAME, value: node.name.value },
      name: { kind: Kind.NAME, value: found.twin.query },
      arguments: [...(kept ?? []), ...(keysArgument === null ? [] : [keysArgument])],
    };
  };
  const rewritten: DocumentNode = visit(document, visitWithTypeInfo(types, { Field: { leave: leaveField } }));
  return visit(rewritten, {
    NamedType: (node) =>
      node.name.value === subscription?.name ? { ...node, name: { ...node.name, value: query } } : undefined,
    OperationDefinition: (node) => ({
      ...node,
      operation: OperationTypeNode.QUERY,
      variableDefinitions: [...(node.variableDefinitions ?? []), ...keysDefinition(found, keysVariable)],
    }),
  });
}

function keysDefinition({ definition, twin }: Found, name: string | null) {
  const argument = definition.args.find((candidate) => candidate.name === twin.keys);
  if (name === null || argument === undefined) return [];
  return [
    {
      kind: Kind.VARIABLE_DEFINITION as const,
      variable: { kind: Kind.VARIABLE as const, name: { kind: Kind.NAME as const, value: name } },
      type: parseType(String(argument.type)),
    },
  ];
}

/** A variable that was used for the keys alone would make the query invalid. */
function withoutUnusedVariables(document: DocumentNode): DocumentNode {
  const used = new Set<string>();
  visit(document, {
    VariableDefinition: () => false,
    Variable: (node) => void used.add(node.name.value),
  });
  return visit(document, {
    VariableDefinition: (node) => (used.has(node.variable.name.value) ? undefined : null),
  });
}

function freeVariable({ variableDefinitions = [] }: OperationDefinitionNode): string {
  const taken = new Set(variableDefinitions.map(({ variable }) => variable.name.value));
  let name = 'changedKeys';
  while (taken.has(name)) name = `${name}_`;
  return name;
}
