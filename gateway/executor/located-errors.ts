import { type DocumentNode, GraphQLError, Kind, type SelectionSetNode } from 'graphql';

import { ERROR_CODES, type ErrorCode } from '#platform/errors.ts';

/**
 * Response keys of the fields a fetch asks for: of the entities of an entity fetch, else of the root. Plans of one fetch
 * hold one operation and no named fragments.
 */
function fetchedKeys(document: DocumentNode): {
  readonly kind: 'entities' | 'root';
  readonly keys: readonly string[];
} {
  const operation = document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
  if (operation === undefined) return { kind: 'root', keys: [] };
  const entities = operation.selectionSet.selections.find(
    (node) => node.kind === Kind.FIELD && node.name.value === '_entities',
  );
  if (entities?.kind === Kind.FIELD && entities.selectionSet !== undefined) {
    return { kind: 'entities', keys: [...responseKeys(entities.selectionSet)] };
  }
  return { kind: 'root', keys: [...responseKeys(operation.selectionSet)] };
}

function responseKeys(set: SelectionSetNode): Set<string> {
  const keys = new Set<string>();
  for (const node of set.selections) {
    if (node.kind === Kind.INLINE_FRAGMENT) for (const key of responseKeys(node.selectionSet)) keys.add(key);
    if (node.kind === Kind.FIELD && node.name.value !== '__typename') keys.add(node.alias?.value ?? node.name.value);
  }
  return keys;
}

/**
 * One error for every field a failed fetch would have answered, so that a dead subgraph costs its own fields and the
 * client reads which: the engine itself would report one error without a path.
 */
export function locatedErrors(
  document: DocumentNode,
  variables: Readonly<Record<string, unknown>>,
  code: ErrorCode,
): readonly GraphQLError[] {
  const { kind, keys } = fetchedKeys(document);
  const at = (path: readonly (string | number)[]): GraphQLError =>
    new GraphQLError(ERROR_CODES[code].message, { path, extensions: { code } });
  if (kind === 'root') return keys.map((key) => at([key]));
  const representations = variables['representations'];
  const count = Array.isArray(representations) ? representations.length : 0;
  return Array.from({ length: count }, (_, index) => keys.map((key) => at(['_entities', index, key]))).flat();
}
