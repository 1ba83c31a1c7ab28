import { buildSchema } from 'graphql';
import { describe, expect, it } from 'vitest';

import { createEntityBatch } from './entity-batch.ts';
import type { Representation } from './representation.ts';
import { failedAnswer, readEntityAnswers, readRootAnswer } from './row-answer.ts';
import { createTypeRelations } from './type-relations.ts';
import { answered, errorAt } from '#test/support/federation/scripted-engine.ts';

const reading = {
  rewrites: [],
  types: createTypeRelations(buildSchema('type Query { a: Int }')),
};
const codes = (answer: { readonly failure: readonly { readonly extensions: object }[] | null } | undefined) =>
  answer?.failure?.map(({ extensions }) => Reflect.get(extensions, 'code'));

describe('createEntityBatch', () => {
  const batchOf = () => {
    const calls: Representation[][] = [];
    const batch = createEntityBatch((representations) => {
      calls.push([...representations]);
      return Promise.resolve(representations.map((value) => ({ ...failedAnswer([]), value, failure: null })));
    });
    return { batch, calls };
  };

  it('sends what becomes known in one tick in one call, each entity once', async () => {
    const { batch, calls } = batchOf();
    const first = batch.load('a', { id: 'a' });
    const later = Promise.resolve()
      .then(() => Promise.resolve())
      .then(() => [batch.load('b', { id: 'b' }), batch.load('a', { id: 'a' })]);
    const [b, again] = await later;
    expect(again).toBe(first);
    expect((await first.answers)[b?.index ?? -1]?.value).toEqual({ id: 'b' });
    expect(calls).toEqual([[{ id: 'a' }, { id: 'b' }]]);
  });

  it('asks in a new call for what is named after the first was sent', async () => {
    const { batch, calls } = batchOf();
    await batch.load('a', { id: 'a' }).answers;
    batch.load('a', { id: 'a' });
    await batch.load('c', { id: 'c' }).answers;
    expect(calls).toEqual([[{ id: 'a' }], [{ id: 'c' }]]);
  });

  it('answers failures when the call breaks', async () => {
    const batch = createEntityBatch(() => Promise.reject(new Error('broken')));
    expect(codes((await batch.load('a', {}).answers)[0])).toEqual(['SUBGRAPH_UNAVAILABLE']);
  });
});

describe('readEntityAnswers', () => {
  const read = (data: unknown, errors = [errorAt(undefined)].slice(1)) =>
    readEntityAnswers({ kind: 'answered', result: answered(data, { errors }) }, [{ id: '1' }, { id: '2' }], reading);

  it.each([
    ['too few', { _entities: [{ a: 1 }] }],
    ['too many', { _entities: [{ a: 1 }, { a: 2 }, { a: 3 }] }],
    ['no list', { _entities: { a: 1 } }],
    ['nothing', null],
    ['a text', '<html>'],
    ['a list', [1, 2]],
  ])('hands no entity to anybody when the answer holds %s', (_which, data) => {
    for (const answer of read(data)) {
      expect(answer.value).toBeNull();
      expect(codes(answer)).toEqual(['SUBGRAPH_UNAVAILABLE']);
    }
  });

  it('costs only the entity that is no object', () => {
    const [one, two] = read({ _entities: ['text', { a: 2 }] });
    expect(codes(one)).toEqual(['SUBGRAPH_UNAVAILABLE']);
    expect(two).toMatchObject({ value: { a: 2 }, failure: null });
  });

  it('takes entities without a name for what they were asked as, unless that is an interface; rows below for anything', () => {
    const schema =
      'interface Media { id: ID } type Book implements Media { id: ID } type Disc implements Media { id: ID }';
    const rename = (...path: string[]) => ({ kind: 'KeyRenamer' as const, path, renameKeyTo: 'x' });
    const rewrites = [rename('... on Book', 'y'), rename('next', '... on Book', 'y')];
    const types = createTypeRelations(buildSchema(`type Query { a: Media } ${schema}`));
    const names = ['Book', 'Disc', 'Media', 'Disc'];
    const entities = [{ y: 1 }, { y: 2, next: { y: 2 } }, { y: 3 }, { __typename: 'Book', y: 4 }];
    const result = answered({ _entities: entities });
    const representations = names.map((name) => ({ __typename: name }));
    const answers = readEntityAnswers({ kind: 'answered', result }, representations, { rewrites, types });
    expect(answers.map(({ value }) => value)).toEqual([
      { x: 1 },
      { y: 2, next: { x: 2 } },
      { x: 3 },
      { __typename: 'Book', x: 4 },
    ]);
  });

  it('gives errors to their entity, and those of none to the first', () => {
    const errors = [errorAt(['_entities', 1, 'a', 0]), errorAt(['_entities', 7, 'a']), errorAt(undefined)];
    const [one, two] = read({ _entities: [null, null] }, errors);
    expect(one?.facts.errors.map(({ path }) => path)).toEqual([[], []]);
    expect(two?.facts.errors.map(({ path }) => path)).toEqual([['a', 0]]);
  });

  it('tells why a whole answer failed in the subgraph’s own words', () => {
    const [one, two] = read(null, [errorAt(['_entities', 0, 'a']), errorAt(undefined, 'DEADLINE_EXCEEDED')]);
    expect(one?.facts.errors).toHaveLength(1);
    expect([codes(one), codes(two)]).toEqual([['DEADLINE_EXCEEDED'], ['DEADLINE_EXCEEDED']]);
  });
});

describe('readRootAnswer', () => {
  it('keeps located errors, and fails the rest of an answer without data', () => {
    const errors = [errorAt(['a']), errorAt(undefined, 'OVERLOADED')];
    const answer = readRootAnswer({ kind: 'answered', result: answered(null, { errors }) }, reading);
    expect(answer.facts.errors.map(({ path }) => path)).toEqual([['a']]);
    expect(codes(answer)).toEqual(['OVERLOADED']);
  });
});
