import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { createCursors } from './cursors.ts';

const cursors = createCursors(Buffer.alloc(32, 7));

describe('cursors', () => {
  test('open what was sealed for the same list', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string({ maxLength: 50 }), fc.integer(), fc.constant(null)), { maxLength: 8 }),
        (payload) => {
          expect(cursors.open('orders', cursors.seal('orders', payload))).toEqual(payload);
        },
      ),
    );
  });

  test('refuse another list, a changed text and another key', () => {
    const sealed = cursors.seal('orders', ['a', 1]);
    const changed = Buffer.from(sealed, 'base64url');
    changed[changed.length - 2] = (changed[changed.length - 2] ?? 0) ^ 1;
    expect(() => cursors.open('customers', sealed)).toThrow(/does not belong to this list/);
    expect(() => cursors.open('orders', changed.toString('base64url'))).toThrow(/does not belong/);
    expect(() => createCursors(Buffer.alloc(32, 8)).open('orders', sealed)).toThrow(/does not belong/);
    expect(() => cursors.open('orders', '')).toThrow(/does not belong/);
  });
});
