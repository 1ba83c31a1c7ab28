import {
  GraphQLError,
  type GraphQLAbstractType,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { inspect } from 'node:util';

import type { PreparedField } from './prepared-document.ts';
import { resolveFields } from './resolve-fields.ts';
import { failedValue, infoOf, isPromise, type Path, type Run } from './run.ts';

/** Makes of what a resolver returned what the answer holds (GraphQL, CompleteValue): a value, or the promise of one. */
export type Complete = (run: Run, field: PreparedField, path: NonNullable<Path>, value: unknown) => unknown;

const completers = new WeakMap<GraphQLOutputType, Complete>();

/** The completion of a type, made once. */
export function completerOf(type: GraphQLOutputType): Complete {
  const known = completers.get(type) ?? makeCompleter(type);
  completers.set(type, known);
  return known;
}

function makeCompleter(type: GraphQLOutputType): Complete {
  if (isNonNullType(type)) return completeNonNull(completerOf(type.ofType));
  if (isListType(type)) return completeList(type.ofType);
  if (isLeafType(type)) return completeLeaf(type);
  if (isAbstractType(type)) return completeAbstract(type);
  return completeObject(type);
}

function completeNonNull(complete: Complete): Complete {
  return (run, field, path, value) => {
    const completed = complete(run, field, path, value);
    if (completed !== null) return completed;
    throw new Error(`Cannot return null for non-nullable field ${field.parentType.name}.${field.definition.name}.`);
  };
}

/** Null and undefined are null; an error is thrown, wherever it stands. */
function isAbsent(value: unknown): value is null | undefined {
  if (value instanceof Error) throw value;
  return value === null || value === undefined;
}

function completeLeaf(type: GraphQLLeafType): Complete {
  return (_run, _field, _path, value) => {
    if (isAbsent(value)) return null;
    const serialized: unknown = type.serialize(value);
    if (serialized !== null && serialized !== undefined) return serialized;
    const told = `${inspect(type)}.serialize(${inspect(value)})`;
    throw new Error(`Expected \`${told}\` to return non-nullable value, returned: ${inspect(serialized)}`);
  };
}

function completeList(itemType: GraphQLOutputType): Complete {
  const complete = completerOf(itemType);
  return (run, field, path, value) => {
    if (isAbsent(value)) return null;
    if (!isIterable(value)) {
      const place = `${field.parentType.name}.${field.definition.name}`;
      throw new GraphQLError(`Expected Iterable, but did not find one for field "${place}".`);
    }
    const waiting: Promise<unknown>[] = [];
    const completeItem = (item: unknown, index: number): unknown => {
      const itemPath = { prev: path, key: index, typename: undefined };
      const fail = (thrown: unknown): null => failedValue(run, field, { type: itemType, path: itemPath }, thrown);
      try {
        const completed = isPromise(item)
          ? item.then((resolved) => complete(run, field, itemPath, resolved))
          : complete(run, field, itemPath, item);
        if (!isPromise(completed)) return completed;
        const caught = completed.then(undefined, fail);
        waiting.push(caught);
        return caught;
      } catch (thrown) {
        return fail(thrown);
      }
    };
    try {
      const items = Array.from(value, completeItem);
      return waiting.length > 0 ? Promise.all(items) : items;
    } catch (thrown) {
      if (waiting.length === 0) throw thrown;
      // What the items before began ends first, and none of it is left unhandled.
      return Promise.allSettled(waiting).then(() => Promise.reject(thrown));
    }
  };
}

const isIterable = (value: unknown): value is Iterable<unknown> =>
  typeof value === 'object' && value !== null && typeof Reflect.get(value, Symbol.iterator) === 'function';

function completeObject(type: GraphQLObjectType): Complete {
  return (run, field, path, value) => {
    if (isAbsent(value)) return null;
    return completeRow(type, { run, field, path, value });
  };
}

interface Completing {
  readonly run: Run;
  readonly field: PreparedField;
  readonly path: NonNullable<Path>;
  readonly value: unknown;
}

function completeRow(type: GraphQLObjectType, { run, field, path, value }: Completing): unknown {
  const fields = field.fieldsOf(type, run.variables);
  if (type.isTypeOf === undefined || type.isTypeOf === null) return resolveFields(run, fields, value, path);
  const go = (isRight: boolean): unknown => {
    if (isRight) return resolveFields(run, fields, value, path);
    const message = `Expected value of type "${type.name}" but got: ${inspect(value)}.`;
    throw new GraphQLError(message, { nodes: field.nodes });
  };
  const isRight = type.isTypeOf(value, run.context, infoOf(run, field, path));
  return isPromise(isRight) ? isRight.then((answer) => go(answer)) : go(isRight);
}

function completeAbstract(type: GraphQLAbstractType): Complete {
  return (run, field, path, value) => {
    if (isAbsent(value)) return null;
    const resolveType = type.resolveType ?? run.typeResolver;
    const named: unknown = resolveType(value, run.context, infoOf(run, field, path), type);
    const completing = { run, field, path, value };
    return isPromise(named)
      ? named.then((name) => completeRow(possibleType(type, name, completing), completing))
      : completeRow(possibleType(type, named, completing), completing);
  };
}

function possibleType(type: GraphQLAbstractType, name: unknown, { run, field, value }: Completing): GraphQLObjectType {
  const place = `${field.parentType.name}.${field.definition.name}`;
  const refuse = (message: string): never => {
    throw new GraphQLError(message, { nodes: field.nodes });
  };
  if (name === null || name === undefined)
    return refuse(
      `Abstract type "${type.name}" must resolve to an Object type at runtime for field "${place}". Either the "${type.name}" type should provide a "resolveType" function or each possible type should provide an "isTypeOf" function.`,
    );
  if (typeof name !== 'string')
    return refuse(
      `Abstract type "${type.name}" must resolve to an Object type at runtime for field "${place}" with value ${inspect(value)}, received "${inspect(name)}".`,
    );
  const found = run.schema.getType(name);
  if (found === undefined)
    return refuse(
      `Abstract type "${type.name}" was resolved to a type "${name}" that does not exist inside the schema.`,
    );
  if (!isObjectType(found)) return refuse(`Abstract type "${type.name}" was resolved to a non-object type "${name}".`);
  if (!run.schema.isSubType(type, found))
    return refuse(`Runtime Object type "${name}" is not a possible type for "${type.name}".`);
  return found;
}
