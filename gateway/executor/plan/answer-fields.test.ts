import { parse } from 'graphql';
import { expect, it } from 'vitest';

import { type AnswerFields, readFetchSelection } from './answer-fields.ts';
import { addRewrittenFields } from './rewrites.ts';

const textOf = (fields: AnswerFields): string =>
  [...fields.values()]
    .map(({ key, always, fields: below }) => `${key}${always ? '!' : ''}${below === null ? '' : `{${textOf(below)}}`}`)
    .join(' ');
const fieldsOf = (text: string): AnswerFields => readFetchSelection(parse(text)).fields;

it.each([
  ['{ a { x } a { t } }', 'a!{x! t!}'],
  ['{ a { x } a @include(if: $on) { t x } }', 'a!{x! t}'],
  ['{ a @include(if: $on) { t x } a { x } }', 'a!{t x!}'],
  ['{ a { t } a @include(if: $on) { x } }', 'a!{t! x}'],
  ['{ ... on A { a { t x } } ... on B { a { t } } }', 'a{t! x}'],
  ['{ ... on A { a { t } } ... on B { a { x } } ... on C { a { t } } }', 'a{t x}'],
  ['{ ... on A { a { b { t } } } ... on B { a { b { x } } } }', 'a{b!{t x}}'],
  ['{ ... on A { a { b { t } } } ... on B { a { b { t } c { t } } } }', 'a{b!{t!} c{t!}}'],
  ['{ ...F ...F } fragment F on A { a { t } }', 'a{t!}'],
])('tells what every row is asked for, wherever it is asked: %s', (text, told) => {
  expect(textOf(fieldsOf(text))).toBe(told);
});

it('tells so of a key that two fields come to by renaming', () => {
  const fields = fieldsOf('{ ... on A { a { t } } ... on B { a__1 { x } } }');
  addRewrittenFields(fields, [{ kind: 'KeyRenamer', path: ['... on B', 'a__1'], renameKeyTo: 'a' }]);
  expect(textOf(fields)).toBe('a{t x} a__1{x!}');
});
