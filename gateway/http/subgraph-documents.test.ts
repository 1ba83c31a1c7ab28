import { type ASTNode, buildSchema, visit } from 'graphql';
import { expect, it } from 'vitest';

import { createSubgraphDocuments } from './subgraph-documents.ts';

const documents = createSubgraphDocuments(buildSchema('type Query { row: Row } type Row { a: Int b(c: Int): Int }'));

it('keeps no places of fields in the text, so that an error of a row costs the same wherever its field stands', () => {
  const { document } = documents(
    'query Q($c: Int) { row { ...F ... on Row { b(c: $c) } } } fragment F on Row { a }',
    'Q',
  );
  const nodes: ASTNode[] = [];
  visit(document, { enter: (node) => void nodes.push(node) });
  expect(nodes.length).toBeGreaterThan(20);
  expect(nodes.filter(({ loc }) => loc !== undefined)).toEqual([]);
});

it('reads a text once, and each operation of it apart', () => {
  const text = 'query A { row { a } } query B { row { b } }';
  expect(documents(text, 'A')).toBe(documents(text, 'A'));
  expect(documents(text, 'B').operation.name?.value).toBe('B');
});
