import {
  getArgumentValues,
  type GraphQLError,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  type GraphQLTypeResolver,
  isNonNullType,
  locatedError,
  responsePathAsArray,
} from 'graphql';

import type { PreparedField, PreparedOperation, Variables } from './prepared-document.ts';

/** A place in the answer; undefined: the root. */
export type Path = GraphQLResolveInfo['path'] | undefined;

/** One request for a prepared operation. */
export interface Run extends PreparedOperation {
  readonly schema: GraphQLSchema;
  readonly variables: Variables;
  readonly context: unknown;
  readonly rootValue: unknown;
  readonly typeResolver: GraphQLTypeResolver<unknown, unknown>;
  readonly errors: FieldErrors;
  /** Arguments do not depend on the row: read once a request and field, an error among them. */
  readonly argumentValues: Map<PreparedField, Record<string, unknown> | Error>;
}

/** Errors in the order they are found, without those below a place that is null already. */
export interface FieldErrors {
  readonly list: readonly GraphQLError[];
  readonly add: (error: GraphQLError, path: Path) => void;
}

export function createFieldErrors(): FieldErrors {
  const list: GraphQLError[] = [];
  const nulled = new Set<Path>();
  const isNulled = (path: Path): boolean => {
    for (let place = path; place !== undefined; place = place.prev) if (nulled.has(place)) return true;
    return nulled.has(undefined);
  };
  return {
    list,
    add: (error, path) => {
      if (nulled.size > 0 && isNulled(path)) return;
      nulled.add(path);
      list.push(error);
    },
  };
}

export const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';

/** A value that could not be had: null with its error, or, where null is forbidden, the error again for the place above. */
export function failedValue(
  run: Run,
  { nodes }: Pick<PreparedField, 'nodes'>,
  place: { readonly type: GraphQLOutputType; readonly path: Path },
  thrown: unknown,
): null {
  const error = locatedError(thrown, nodes, place.path === undefined ? undefined : responsePathAsArray(place.path));
  if (isNonNullType(place.type)) throw error;
  run.errors.add(error, place.path);
  return null;
}

/** What a resolver is told of its place. A new object each time, as resolvers may keep it. */
export function infoOf(run: Run, field: PreparedField, path: NonNullable<Path>): GraphQLResolveInfo {
  return {
    fieldName: field.definition.name,
    fieldNodes: field.nodes,
    returnType: field.type,
    parentType: field.parentType,
    path,
    schema: run.schema,
    fragments: run.fragments,
    rootValue: run.rootValue,
    operation: run.operation,
    variableValues: run.variables,
  };
}

/** The field's arguments, a new object for each row. @throws {Error} when they cannot be read */
export function argumentsOf(run: Run, field: PreparedField): Record<string, unknown> {
  if (field.definition.args.length === 0) return {};
  const known = run.argumentValues.get(field) ?? readArguments(run, field);
  run.argumentValues.set(field, known);
  if (known instanceof Error) throw known;
  return { ...known };
}

function readArguments(run: Run, { definition, nodes }: PreparedField): Record<string, unknown> | Error {
  try {
    return getArgumentValues(definition, nodes[0], run.variables);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
