import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { toIso } from './clock.ts';

describe('toIso', () => {
  it('writes what Date writes, whatever instant came before', () => {
    const last = Date.parse('9999-12-31T23:59:59.999Z');
    // Neighbors share a second; others do not.
    const instants = fc.oneof(fc.nat(last), fc.nat(3_000));
    fc.assert(
      fc.property(fc.array(instants), (times) => {
        expect(times.map(toIso)).toEqual(times.map((time) => new Date(time).toISOString()));
      }),
    );
  });
});
