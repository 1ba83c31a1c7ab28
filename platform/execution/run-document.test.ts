import fc from 'fast-check';
import { buildSchema, execute, type GraphQLSchema, isObjectType, parse } from 'graphql';
import { describe, expect, it } from 'vitest';

import { nextTurn } from '#platform/turns.ts';
import { createRandomOperation } from '#test/support/federation/random-operation.ts';
import { typeNameOf } from '#test/support/federation/random-world.ts';
import { createDocumentRunner, type DocumentAnswer } from './run-document.ts';

const SDL = `
  scalar Text
  enum Color { RED GREEN }
  interface Node { id: ID! name: String }
  input Filter { color: Color = RED words: [String!] }
  type Item implements Node { id: ID! name: String price: Float! color: Color tags: [String!]! maker: Maker! related(first: Int = 2): [Item!] parts: [[Part]] owner: Owner any: [Thing!]! }
  type Part implements Node { id: ID! name: String weight: Int! whole: Item }
  type Maker { id: ID! title(filter: Filter): String items: [Item]! best: Node }
  union Owner = Maker | Part
  union Thing = Item | Part | Maker
  type Query { item(id: ID!): Item items(filter: Filter, first: Int): [Item!]! node: Node! owner: Owner things: [Thing]! text(of: Text): Text }
  type Mutation { rename(id: ID!): Item! touch: Int! forget: Item }
`;

/** A small hash of a text, the same in every run. */
function hash(text: string): number {
  let value = 7;
  for (const char of text) value = (value * 31 + (char.codePointAt(0) ?? 0)) % 1_000_003;
  return value;
}

const CONCRETE = ['Item', 'Part', 'Maker'];

/** What a field gives by the hash of its place: mostly what fits, sometimes null, an error, a promise or what does not fit. */
function valueOf(type: string, seed: string): unknown {
  const turn = hash(seed) % 100;
  if (turn < 3) return null;
  if (turn < 5) throw new Error(`thrown at ${seed}`);
  if (turn < 7) return new Error(`returned at ${seed}`);
  if (turn < 9) return Promise.reject(new Error(`rejected at ${seed}`));
  if (turn < 11) return type.startsWith('[') ? 'no list' : { odd: true };
  const value = fitting(type.replace(/!$/, ''), seed);
  return turn < 40 ? Promise.resolve(value) : value;
}

const valueLater = async (type: string, seed: string): Promise<unknown> => await Promise.resolve(valueNow(type, seed));

function valueNow(type: string, seed: string): unknown {
  try {
    return valueOf(type, seed);
  } catch (error) {
    return error;
  }
}

function fitting(type: string, seed: string): unknown {
  if (type.startsWith('[')) {
    const item = type.slice(1, -1);
    // graphql leaves promises of a list behind, unhandled, when an item after them throws: there, all are promises.
    return Array.from({ length: hash(`${seed} length`) % 4 }, (_, index) =>
      item.endsWith('!') ? valueLater(item, `${seed}.${index}`) : valueNow(item, `${seed}.${index}`),
    );
  }
  if (type === 'Int') return hash(seed) % 50;
  if (type === 'Float') return (hash(seed) % 500) / 4;
  if (type === 'Color') return ['RED', 'GREEN', 'BLUE'][hash(seed) % 3];
  if (['String', 'ID', 'Text'].includes(type)) return `text ${hash(seed)}`;
  if (CONCRETE.includes(type)) return { __typename: type, seed };
  // An abstract type: sometimes one that is not possible, or none.
  return { __typename: [...CONCRETE, 'Query', 'Nowhere', 'Node', undefined][hash(seed) % 14] ?? 'Part', seed };
}

const calls: string[] = [];
function schemaOf(seed: number): GraphQLSchema {
  const schema = buildSchema(SDL);
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    if (type.name === 'Part' && seed % 3 === 0) type.isTypeOf = (row) => hash(JSON.stringify(row)) % 20 > 0;
    for (const field of Object.values(type.getFields())) {
      field.resolve = (row: { readonly seed?: string } | undefined, args, _context, info) => {
        calls.push(`${info.parentType.name}.${info.fieldName}`);
        return valueOf(String(info.returnType), `${seed} ${row?.seed ?? ''} ${info.fieldName} ${JSON.stringify(args)}`);
      };
    }
  }
  return schema;
}

/** Places that are null in the answer because of an error, each with its errors. Below one, which errors are told is a race. */
function nulledPlaces({ data, errors }: DocumentAnswer): Map<string, readonly string[]> {
  const places = new Map<string, readonly string[]>();
  for (const { message, path = [], locations } of errors) {
    let [value, depth]: [unknown, number] = [data, 0];
    while (value !== null && value !== undefined && depth < path.length) {
      value = Reflect.get(value, path[depth] ?? '');
      depth += 1;
    }
    const place = path.slice(0, depth).join('.');
    places.set(place, [...(places.get(place) ?? []), JSON.stringify([message, path, locations])].toSorted());
  }
  return places;
}

async function both(schema: GraphQLSchema, text: string, variables: Readonly<Record<string, unknown>>) {
  const document = parse(text);
  calls.length = 0;
  const theirs = await execute({ schema, document, variableValues: variables, typeResolver: typeNameOf });
  // graphql may answer before all it began has ended: what it calls then is its own, what fails then is not told.
  const told = [...(theirs.errors ?? [])];
  await nextTurn();
  const theirCalls = calls.splice(0).toSorted();
  const ours = await createDocumentRunner(schema, { typeResolver: typeNameOf })({ document, variables });
  await nextTurn();
  return {
    ours,
    theirs: { data: theirs.data ?? null, errors: told },
    ourCalls: calls.splice(0).toSorted(),
    theirCalls,
  };
}

/** Where the error of nulledPlaces says it happened. */
const pathOf = (error: string): string => (JSON.parse(error) as [string, (string | number)[]])[1].join('.');

const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
/** Texts of values differ in form: graphql prints them in its own way. */
const plain = (message: string): string => message.replaceAll(/(received|but got:|serialize\(|with value) .*/g, '$1');

describe('a document run by what was prepared', () => {
  it('answers as graphql does: the same data, errors at the same places, the same calls of resolvers', async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 100_000 }), async (seed) => {
        const schema = schemaOf(seed);
        const operation = createRandomOperation(schema, seed);
        if (operation === null) return;
        const { ours, theirs, ourCalls, theirCalls } = await both(schema, operation.text, operation.variables);
        expect(asJson(ours.data)).toEqual(asJson(theirs.data));
        expect(ourCalls).toEqual(theirCalls);
        const [mine, other] = [nulledPlaces(ours), nulledPlaces(theirs)];
        expect([...mine.keys()].toSorted()).toEqual([...other.keys()].toSorted());
        // Of several errors that null one place from below, which one is told is a race.
        const single = [...mine.keys()].filter((place) => {
          const told = [mine.get(place), other.get(place)].map((errors = []) => errors.map(pathOf));
          return told.every(({ length }) => length === 1) && told[0]?.[0] === told[1]?.[0];
        });
        expect(single.map((place) => mine.get(place)?.map(plain))).toEqual(
          single.map((place) => other.get(place)?.map(plain)),
        );
        compared += 1;
      }),
      { numRuns: 400 },
    );
    expect(compared).toBeGreaterThan(250);
  });

  it('leaves no promise of a list unhandled when an item after it throws', async () => {
    const schema = buildSchema('type Query { words: [String!]! }');
    const words = [Promise.reject(new Error('first')), new Error('second')];
    const run = createDocumentRunner(schema, { typeResolver: typeNameOf });
    const { data, errors } = await run({ document: parse('{ words }'), variables: {}, rootValue: { words } });
    expect([data, errors.map(({ message }) => message)]).toEqual([null, ['second']]);
    await new Promise(setImmediate);
  });

  it('settles conditions by the variables of each request', async () => {
    const schema = buildSchema('type Query { a: Int b: Int }');
    const run = createDocumentRunner(schema, { typeResolver: typeNameOf });
    const document = parse('query ($a: Boolean!, $b: Boolean = false) { a @include(if: $a) b @skip(if: $b) }');
    const of = async (variables: Readonly<Record<string, unknown>>) =>
      Object.keys((await run({ document, variables, rootValue: { a: 1, b: 2 } })).data ?? {});
    expect(await of({ a: true })).toEqual(['a', 'b']);
    expect(await of({ a: false })).toEqual(['b']);
    expect(await of({ a: true, b: true })).toEqual(['a']);
    expect(await of({ a: true })).toEqual(['a', 'b']);
  });

  it('remembers the ways its conditions come out within a bound', async () => {
    const schema = buildSchema('type Query { a: Int }');
    let preparedCount = 0;
    const query = schema.getQueryType();
    const fields = query?.getFields() ?? {};
    Object.assign(query ?? {}, { getFields: () => ((preparedCount += 1), fields) });
    const names = Array.from({ length: 11 }, (_, bit) => `v${bit}`);
    const others = Array.from({ length: 10 }, (_, index) => `a${index}: a`).join(' ');
    const document = parse(
      `query (${names.map((name) => `$${name}: Boolean!`).join()}) { ${others} ${names.map((name) => `${name}: a @include(if: $${name})`).join(' ')} }`,
    );
    const run = createDocumentRunner(schema, { typeResolver: typeNameOf });
    const prepares = async (way: number): Promise<boolean> => {
      const before = preparedCount;
      const variables = Object.fromEntries(names.map((name, bit) => [name, ((way >> bit) & 1) === 1]));
      const { data } = await run({ document, variables, rootValue: { a: 1 } });
      expect(Object.keys(data ?? {}).slice(10)).toEqual(names.filter((name) => variables[name] === true));
      return preparedCount > before;
    };
    const last = 2 ** 11 - 1;
    for (let way = 0; way <= last; way += 1) expect(await prepares(way)).toBe(true);
    expect([await prepares(last), await prepares(last - 100), await prepares(0)]).toEqual([false, false, true]);
  });

  it('gives each row arguments of its own', async () => {
    const schema = buildSchema('type Row { size(of: Int): Int } type Query { rows: [Row] }');
    const size = (given: { of: number }): number => (given.of += 1);
    const run = createDocumentRunner(schema, { typeResolver: typeNameOf });
    const document = parse('{ rows { size(of: 1) } }');
    const { data } = await run({ document, variables: {}, rootValue: { rows: [{ size }, { size }] } });
    expect(asJson(data)).toEqual({ rows: [{ size: 2 }, { size: 2 }] });
  });

  it('runs mutations in turn, and none after one whose value must not be null', async () => {
    const schema = buildSchema('type Query { a: Int } type Mutation { first: Int second: Int! third: Int }');
    const begun: string[] = [];
    const begin = (name: string, value: number | null) => async () => {
      begun.push(`${name} begins`);
      await new Promise(setImmediate);
      begun.push(`${name} ends`);
      return value;
    };
    const rootValue = { first: begin('first', 1), second: begin('second', null), third: begin('third', 3) };
    const run = createDocumentRunner(schema, { typeResolver: typeNameOf });
    const { data } = await run({ document: parse('mutation { first second third }'), variables: {}, rootValue });
    expect(data).toBe(null);
    expect(begun).toEqual(['first begins', 'first ends', 'second begins', 'second ends']);
  });

  it('answers under any name, also __proto__, and tells of its schema', async () => {
    const schema = buildSchema('type Query { a: Int }');
    const text = '{ __proto__: a constructor: a __typename __schema { queryType { name } } }';
    const { ours, theirs } = await both(schema, text, {});
    expect(Object.entries(ours.data ?? {})).toEqual(Object.entries(theirs.data ?? {}));
    expect(Object.getPrototypeOf(ours.data)).toBe(Object.prototype);
  });

  it.each<readonly [string, string, string | undefined]>([
    ['Must provide an operation.', 'fragment F on Query { a }', undefined],
    ['Must provide operation name if query contains multiple operations.', 'query A { a } query B { a }', undefined],
    ['Unknown operation named "C".', 'query A { a } query B { a }', 'C'],
    ['Variable "$n" of required type "Int!" was not provided.', 'query ($n: Int!) { b(n: $n) }', undefined],
    ['Schema is not configured to execute mutation operation.', 'mutation { a }', undefined],
  ])('executes nothing and says: %s', async (message, text, operationName) => {
    const schema = buildSchema('type Query { a: Int b(n: Int): Int }');
    const run = createDocumentRunner(schema, { typeResolver: typeNameOf });
    const { data, errors } = await run({ document: parse(text), variables: {}, operationName });
    expect([data, errors.map((error) => error.message)]).toEqual([null, [message]]);
  });
});
