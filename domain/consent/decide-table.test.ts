import { describe, expect, test } from 'vitest';

import { type Role, ROLES } from '#schema/model/request.ts';
import { type Purpose, PURPOSES } from '#schema/purposes.ts';
import { ALL_PURPOSES, factsOf, person, relation, slot, STATES, verdict } from './decision-kit.ts';
import { type ConsentStateName, type SubjectFlags } from './states.ts';

describe('the table of roles, purposes, states and flags', () => {
  /** Written from the design's table alone: letters are its cells, `S`, `B`, `C` and `-`. */
  const TABLE: Readonly<Record<Role, string>> = {
    //                 ORD SVC MKT PER ANA SHR FRD LAW
    customer: '         S   S   S   S   S   S   S   S ',
    'service-job': '    B   B   -   -   -   -   B   B ',
    associate: '        B   B   -   C   -   -   -   - ',
    marketer: '         -   -   C   C   -   -   -   - ',
    partner: '          -   -   -   -   -   -   -   - ',
    analyst: '          -   -   -   -   -   -   -   - ',
    'privacy-officer': '-   -   -   -   -   -   -   B ',
  };
  const COLUMNS = [
    'ORDER_FULFILLMENT',
    'SERVICE_SUPPORT',
    'MARKETING',
    'PERSONALIZATION',
    'ANALYTICS',
    'THIRD_PARTY_SHARING',
    'FRAUD_PREVENTION',
    'LEGAL_OBLIGATION',
  ];

  function oracle(cell: {
    role: Role;
    purpose: Purpose;
    state: ConsentStateName;
    flags: SubjectFlags;
    order: boolean;
  }): string {
    const { role, purpose, state, flags, order } = cell;
    const letter = TABLE[role].trim().split(/\s+/)[COLUMNS.indexOf(purpose)];
    if (letter === '-') return 'PURPOSE_NOT_ALLOWED';
    if (flags === 'ERASED') return 'RESTRICTED';
    if (letter === 'S') return 'ALLOWED';
    if (flags === 'RESTRICTED' && purpose !== 'LEGAL_OBLIGATION') return 'RESTRICTED';
    let open: boolean;
    if (letter === 'C') open = state === 'GRANTED';
    else if (purpose === 'FRAUD_PREVENTION') open = !['OBJECTED', 'DENIED', 'WITHDRAWN'].includes(state);
    else open = order || role === 'privacy-officer';
    return open ? 'ALLOWED' : 'CONSENT_REQUIRED';
  }

  test('decides all 2,688 cells (7 roles, 8 purposes, 8 states, 3 flags, with and without an order) as the table says', () => {
    let cells = 0;
    for (const role of ROLES)
      for (const purpose of ALL_PURPOSES)
        for (const state of STATES)
          for (const flags of ['NORMAL', 'RESTRICTED', 'ERASED'] as const)
            for (const order of [true, false]) {
              const subject = person('sub_a', {
                flags,
                slots: slot(purpose, state),
                relations: order ? [relation()] : [],
              });
              cells += 1;
              const actual = verdict({ role, purpose, self: ['sub_a'] }, factsOf([subject]));
              // Purposes whose grants never expire have no EXPIRED state.
              const effective = state === 'EXPIRED' && PURPOSES[purpose].grantDays === null ? 'GRANTED' : state;
              expect([role, purpose, state, flags, order, actual]).toEqual([
                role,
                purpose,
                state,
                flags,
                order,
                oracle({ role, purpose, state: effective, flags, order }),
              ]);
            }
    expect(cells).toBe(2_688);
  });
});
