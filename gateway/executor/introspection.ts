import {
  type DocumentNode,
  executeSync,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  type FieldNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';

/** Answers an operation's `__schema` and `__type` from the API schema, by response key. */
export type Introspect = (variables: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;

/** Null: the operation introspects nothing. What depends on no variable is worked out once. */
export function compileIntrospection(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): Introspect | null {
  const fragments = document.definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION);
  const byName = new Map(fragments.map((node) => [node.name.value, node]));
  const selectionSet = keepIntrospection(operation.selectionSet, byName);
  if (selectionSet.selections.length === 0) return null;
  const asked: DocumentNode = { kind: Kind.DOCUMENT, definitions: [{ ...operation, selectionSet }, ...fragments] };
  const answer: Introspect = (variables) =>
    executeSync({ schema, document: asked, rootValue: {}, variableValues: variables }).data ?? {};
  if ((operation.variableDefinitions ?? []).length > 0) return answer;
  let known: Readonly<Record<string, unknown>> | null = null;
  return (variables) => (known ??= answer(variables));
}

const NOTHING_TO_FETCH: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };

/** The document as it is planned: the planner fetches no introspection, and knows not all of its fields (`isOneOf`). */
export function withoutIntrospection(document: DocumentNode): DocumentNode {
  return visit(document, {
    Field: ({ name }) => (isIntrospection(name.value) ? NOTHING_TO_FETCH : undefined),
    FragmentDefinition: ({ typeCondition }) => (typeCondition.name.value.startsWith('__') ? null : undefined),
  });
}

/** The set without what subgraphs answer, fragments of the root put in place; admission has bounded what they unfold to. */
function keepIntrospection(
  set: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): SelectionSetNode {
  const selections = set.selections.flatMap((node): SelectionNode[] => {
    if (node.kind === Kind.FIELD) return isIntrospection(node.name.value) ? [node] : [];
    const body = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value);
    if (body === undefined) return [];
    const selectionSet = keepIntrospection(body.selectionSet, fragments);
    if (selectionSet.selections.length === 0) return [];
    return [{ kind: Kind.INLINE_FRAGMENT, directives: node.directives ?? [], selectionSet }];
  });
  return { kind: Kind.SELECTION_SET, selections };
}

/** Fields of the root that the gateway itself answers. */
export function isIntrospection(fieldName: string): boolean {
  return fieldName === '__schema' || fieldName === '__type';
}
