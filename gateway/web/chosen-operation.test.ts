import { describe, expect, it } from 'vitest';

import { chosenOperation } from './chosen-operation.ts';

describe('the operation the page runs', () => {
  const TWO = 'query A { a } subscription B { b }';

  it('is the one of the name chosen in the editor', () => {
    expect(chosenOperation(TWO, 'B')).toEqual({ operationName: 'B', subscription: true });
    expect(chosenOperation(TWO, 'A')).toEqual({ operationName: 'A', subscription: false });
  });

  it('is the only one of the text where the name still belongs to the text before', () => {
    expect(chosenOperation('subscription Live { b }', 'ProductPage')).toEqual({
      operationName: 'Live',
      subscription: true,
    });
    expect(chosenOperation('{ a }', 'ProductPage')).toEqual({ operationName: null, subscription: false });
  });

  it('is none that was not chosen: the gateway refuses a name that none of several has', () => {
    expect(chosenOperation('mutation Write { w } query Read { a }', 'ReadMore')).toEqual({
      operationName: 'ReadMore',
      subscription: false,
    });
  });

  it('is the first one where no name was chosen, also when it has none itself', () => {
    expect(chosenOperation('fragment F on Query { a } { ...F }', null)).toEqual({
      operationName: null,
      subscription: false,
    });
    expect(chosenOperation(TWO, null)).toEqual({ operationName: 'A', subscription: false });
  });

  it('keeps its name where the text does not parse or holds none, for the gateway to answer', () => {
    expect(chosenOperation('query A {', 'A')).toEqual({ operationName: 'A', subscription: false });
    expect(chosenOperation('fragment F on Query { a }', 'A')).toEqual({ operationName: 'A', subscription: false });
  });
});
