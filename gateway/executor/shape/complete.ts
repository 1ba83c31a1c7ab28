import {
  type GraphQLEnumType,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLScalarType,
  type GraphQLSchema,
  isAbstractType,
  isEnumType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';

import { type Guard, holds } from '#gateway/executor/plan/guards.ts';
import { createRow, isRow, type Row } from '#gateway/executor/plan/row.ts';

/** What completion found wrong with a value; a null that is promoted is found once, where it began. */
export interface Finding {
  readonly path: readonly (string | number)[];
  readonly coordinate: string;
}

/** One pass over one answer. */
export interface Completion {
  readonly variables: Readonly<Record<string, unknown>>;
  /** Where the pass is. */
  readonly path: (string | number)[];
  /** The first ones. */
  readonly findings: Finding[];
  /** The field the pass is in. */
  coordinate: string;
  /** Fields and list entries that the answer may still have. */
  room: number;
}

/**
 * Fields and list entries of one answer, nulls included: as many as some 50 MB. What subgraphs answered is bounded where
 * it is taken over; rows without any of their fields are not: 700 kB of them made gigabytes of nulls.
 */
const MAX_COMPLETED_VALUES = 2_000_000;

/** An answer would have more values than a process should hold. */
export class AnswerTooLarge extends Error {}

/** A pass over an answer. */
export function createCompletion(variables: Completion['variables']): Completion {
  return { variables, path: [], findings: [], coordinate: '', room: MAX_COMPLETED_VALUES };
}

function take(completion: Completion, values: number): void {
  completion.room -= values;
  if (completion.room < 0) throw new AnswerTooLarge('the answer has too many values');
}

/** A null that the type forbids: the nearest nullable place above becomes null. */
const PROMOTED = Symbol('promoted');

/** The value as the client gets it; null where it does not fit its type. PROMOTED only from non-null types. */
export type Complete = (value: unknown, completion: Completion) => unknown;

/** One response key of rows of one type. */
export interface ShapeField {
  readonly key: string;
  readonly coordinate: string;
  /** One of them must hold; null: always selected. */
  readonly guards: readonly Guard[] | null;
  readonly complete: Complete;
  /** For leaves: a value of which this holds (null never comes here) is complete as it is. Null: ask `complete`. */
  readonly fits: ((value: unknown) => boolean) | null;
}

/** What the client selected at one place of its document, for rows of any type. */
export interface Shape {
  /** In the order of the answer. */
  readonly fieldsOf: (typeName: string) => readonly ShapeField[];
}

/** The test of a leaf, required or not; null: the type is no leaf. */
export function leafFit(type: GraphQLOutputType): ((value: unknown) => boolean) | null {
  const bare = isNonNullType(type) ? type.ofType : type;
  return isLeafType(bare) ? leafTest(bare) : null;
}

/** Prepares completion of one field's values. `shape` belongs to its objects; leaf types have none. */
export function completer(schema: GraphQLSchema, type: GraphQLOutputType, shape: Shape | null): Complete {
  if (isNonNullType(type)) return nonNull(completer(schema, type.ofType, shape));
  if (isListType(type)) return list(completer(schema, type.ofType, shape));
  if (isLeafType(type)) return leaf(type);
  if (shape === null) return () => null;
  return object(schema, type, shape);
}

/** As many as are told place by place; a list of wrong values can hold a million. */
const MAX_FINDINGS = 10_000;

function find(completion: Completion): null {
  const { findings, path, coordinate } = completion;
  if (findings.length < MAX_FINDINGS) findings.push({ path: [...path], coordinate });
  return null;
}

function nonNull(inner: Complete): Complete {
  return (value, completion) => {
    const before = completion.findings.length;
    const completed = inner(value, completion);
    if (completed !== null) return completed;
    if (completion.findings.length === before) find(completion);
    return PROMOTED;
  };
}

function list(inner: Complete): Complete {
  return (value, completion) => {
    if (value === null || value === undefined) return null;
    if (!Array.isArray(value)) return find(completion);
    take(completion, value.length);
    const { path } = completion;
    const completed: unknown[] = [];
    for (let index = 0; index < value.length; index += 1) {
      path.push(index);
      const entry = inner(value[index], completion);
      path.pop();
      if (entry === PROMOTED) return null;
      completed.push(entry);
    }
    return completed;
  };
}

function leaf(type: GraphQLScalarType | GraphQLEnumType): Complete {
  const fits = leafTest(type);
  return (value, completion) => {
    if (value === null || value === undefined) return null;
    return fits(value) ? value : find(completion);
  };
}

const isInt = (value: unknown): boolean => typeof value === 'number' && (value | 0) === value;
/** Of what a subgraph has serialized. Custom scalars may be anything but what was refused when it was adopted. */
const SCALARS: Readonly<Record<string, (value: unknown) => boolean>> = {
  Int: isInt,
  Float: (value) => typeof value === 'number' && Number.isFinite(value),
  String: (value) => typeof value === 'string',
  Boolean: (value) => typeof value === 'boolean',
  ID: (value) => typeof value === 'string' || Number.isSafeInteger(value),
};

function leafTest(type: GraphQLScalarType | GraphQLEnumType): (value: unknown) => boolean {
  if (isEnumType(type)) return (value) => typeof value === 'string' && type.getValue(value) !== undefined;
  return (Object.hasOwn(SCALARS, type.name) ? SCALARS[type.name] : undefined) ?? ((value) => typeof value !== 'symbol');
}

function object(schema: GraphQLSchema, declared: GraphQLNamedType, shape: Shape): Complete {
  const typeOf = runtimeTypes(schema, declared);
  return (value, completion) => {
    if (value === null || value === undefined) return null;
    if (!isRow(value)) return find(completion);
    const typeName = typeOf(value['__typename']);
    return typeName === null ? find(completion) : completeRow(shape.fieldsOf(typeName), value, completion);
  };
}

/**
 * The type a row is shaped by, from its `__typename`; null: no such type may be here. Undefined is a name that no fetch
 * asked, as of interfaces that a subgraph knows as objects; null one that was asked and not told.
 */
function runtimeTypes(schema: GraphQLSchema, declared: GraphQLNamedType): (name: unknown) => string | null {
  const known = new Map<string, string | null>();
  const decide = (name: string): string | null => {
    const type = schema.getType(name);
    if (!isObjectType(type) && !isInterfaceType(type)) return null;
    if (isAbstractType(declared)) return schema.isSubType(declared, type) ? name : null;
    // A subgraph that knows the interface as an object names the interface.
    return isInterfaceType(type) && isObjectType(declared) && schema.isSubType(type, declared) ? declared.name : null;
  };
  return (name) => {
    if (name === undefined || name === declared.name) return declared.name;
    if (name === null) return isAbstractType(declared) ? null : declared.name;
    if (typeof name !== 'string') return null;
    const found = known.get(name);
    if (found !== undefined) return found;
    const decided = decide(name);
    // Names come from answers: only those of the schema are worth remembering.
    if (schema.getType(name) !== undefined) known.set(name, decided);
    return decided;
  };
}

/** The row as the client selected it; null when a null was promoted to it. @throws {AnswerTooLarge} */
export function completeRow(fields: readonly ShapeField[], row: Row, completion: Completion): Row | null {
  take(completion, fields.length);
  const completed = createRow();
  const { path, variables, coordinate } = completion;
  for (const field of fields) {
    if (field.guards !== null && !field.guards.some((guard) => holds(guard, variables))) continue;
    const given = row[field.key];
    // Most fields are leaves that fit: they need no path.
    if (field.fits !== null && given !== null && given !== undefined && field.fits(given)) {
      completed[field.key] = given;
      continue;
    }
    path.push(field.key);
    completion.coordinate = field.coordinate;
    const value = field.complete(given, completion);
    path.pop();
    if (value === PROMOTED) {
      completion.coordinate = coordinate;
      return null;
    }
    completed[field.key] = value;
  }
  completion.coordinate = coordinate;
  return completed;
}

/** `__typename` of rows shaped by this type. No object is of an abstract type: the concrete one could not be fetched. */
export function typeNameCompleter(typeName: string, concrete: boolean): Complete {
  if (concrete) return () => typeName;
  return (_value, completion) => {
    find(completion);
    return PROMOTED;
  };
}
