import { argumentsOf, failedValue, infoOf, isPromise, type Path, type Run } from './run.ts';
import type { PreparedField } from './prepared-document.ts';

type Row = Record<string, unknown>;

/** The fields of one object, all begun at once: a row, or the promise of one. @throws what a field that must not be null threw */
export function resolveFields(
  run: Run,
  fields: readonly PreparedField[],
  source: unknown,
  path: Path,
): Row | Promise<Row> {
  const row: Row = {};
  let waits = false;
  try {
    for (const field of fields) {
      const value = resolveField(run, field, source, path);
      put(row, field.key, value);
      if (isPromise(value)) waits = true;
    }
  } catch (error) {
    if (!waits) throw error;
    // What the other fields began ends first.
    return settled(row).then(
      () => Promise.reject(error),
      () => Promise.reject(error),
    );
  }
  return waits ? settled(row) : row;
}

/** The fields of one object one after the other, as mutations are. */
export async function resolveFieldsInTurn(run: Run, fields: readonly PreparedField[], source: unknown): Promise<Row> {
  const row: Row = {};
  // oxlint-disable-next-line no-await-in-loop -- in turn
  for (const field of fields) put(row, field.key, await resolveField(run, field, source, undefined));
  return row;
}

/** `__proto__` is a name a caller may give. */
function put(row: Row, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(row, key, { value, enumerable: true, configurable: true, writable: true });
  else row[key] = value;
}

async function settled(row: Row): Promise<Row> {
  const keys = Object.keys(row);
  const values = await Promise.all(keys.map((key) => row[key]));
  keys.forEach((key, index) => put(row, key, values[index]));
  return row;
}

function resolveField(run: Run, field: PreparedField, source: unknown, parent: Path): unknown {
  const path = { prev: parent, key: field.key, typename: field.parentType.name };
  const fail = (thrown: unknown): null => failedValue(run, field, { type: field.type, path }, thrown);
  try {
    const value =
      field.resolve === null
        ? propertyOf(run, field, source, path)
        : field.resolve(source, argumentsOf(run, field), run.context, infoOf(run, field, path));
    const completed = isPromise(value)
      ? value.then((resolved) => field.complete(run, field, path, resolved))
      : field.complete(run, field, path, value);
    return isPromise(completed) ? completed.then(undefined, fail) : completed;
  } catch (thrown) {
    return fail(thrown);
  }
}

/** What graphql's own default resolver does; its arguments and info are made for methods alone. */
function propertyOf(run: Run, field: PreparedField, source: unknown, path: NonNullable<Path>): unknown {
  if ((typeof source !== 'object' || source === null) && typeof source !== 'function') {
    // Arguments that cannot be read are an error also where nobody reads them.
    argumentsOf(run, field);
    return undefined;
  }
  const { name } = field.definition;
  const given = field.definition.args.length === 0 ? null : argumentsOf(run, field);
  const value: unknown = Reflect.get(source, name);
  if (typeof value !== 'function') return value;
  return Reflect.apply(value, source, [given ?? {}, run.context, infoOf(run, field, path)]) as unknown;
}
