import { Kind, type OperationDefinitionNode, OperationTypeNode } from 'graphql';
import { describe, expect, it } from 'vitest';

import { createVariantStore, type OnPrepared } from './prepared-variants.ts';

const operation: OperationDefinitionNode = {
  kind: Kind.OPERATION_DEFINITION,
  operation: OperationTypeNode.QUERY,
  selectionSet: { kind: Kind.SELECTION_SET, selections: [] },
};

/** Variants of one document of a store, and how often each was prepared. */
function documentOf(createVariants: ReturnType<typeof createVariantStore>) {
  const variants = createVariants();
  const preparedCounts = new Map<string, number>();
  const growing = new Map<string, OnPrepared>();
  const ask = (key: string, fieldCount = 0): void => {
    variants.get(key, (onPrepared) => {
      preparedCounts.set(key, (preparedCounts.get(key) ?? 0) + 1);
      growing.set(key, onPrepared);
      return { operation, fragments: {}, fieldsOf: () => [] };
    });
    if (fieldCount > 0) growing.get(key)?.(fieldCount);
  };
  return { ask, preparedCounts };
}

describe('variants of documents', () => {
  it('are prepared once while there is room', () => {
    const { ask, preparedCounts } = documentOf(createVariantStore(10_000));
    for (const key of ['true', 'false', 'true', 'false']) ask(key);
    expect(preparedCounts).toEqual(
      new Map([
        ['true', 1],
        ['false', 1],
      ]),
    );
  });

  it('share one room, and the least recently used is forgotten first', () => {
    const createVariants = createVariantStore(10_000);
    const [one, other] = [documentOf(createVariants), documentOf(createVariants)];
    for (const key of ['a', 'b']) one.ask(key);
    for (const key of ['c', 'd']) other.ask(key);
    one.ask('a');
    other.ask('e');
    one.ask('a');
    expect(one.preparedCounts.get('a')).toBe(1);
    one.ask('b');
    expect(one.preparedCounts.get('b')).toBe(2);
  });

  it('take the room of their fields, also of those that are prepared later', () => {
    const { ask, preparedCounts } = documentOf(createVariantStore(18_000));
    ask('small');
    ask('large', 20);
    ask('large', 20);
    ask('small');
    expect(preparedCounts).toEqual(
      new Map([
        ['small', 2],
        ['large', 1],
      ]),
    );
  });

  it('are not kept when one of them is larger than all the room', () => {
    const { ask, preparedCounts } = documentOf(createVariantStore(20_000));
    ask('large', 60);
    ask('large');
    ask('x'.repeat(30_000));
    ask('x'.repeat(30_000));
    expect([...preparedCounts.values()]).toEqual([2, 2]);
  });
});
