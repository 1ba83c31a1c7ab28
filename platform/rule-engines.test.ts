import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';

import { PURPOSES, ROLE_PURPOSE_CELLS } from '#schema/purposes.ts';
import { ROLES } from '#schema/model/request.ts';
import { aRequest } from '#test/support/people-subgraph.ts';
import { defineSubgraph } from './define-subgraph.ts';
import { referenceResolver } from './references.ts';
import type { RefusalReason, Verdict } from '#schema/model/consent.ts';
import type { RequestContext, Role } from '#schema/model/request.ts';
import type { Purpose } from '#schema/purposes.ts';

const purposes = Object.keys(PURPOSES) as Purpose[];
const list = (names: readonly string[]) => names.map((name) => `"${name}"`).join(', ');

// One governed field for every single purpose, one for all, one that also needs a scope, one that only needs a scope.
const typeDefs = `
  type Query { people: [Person] }
  type Person @key(fields: "id") @subject(path: "subjects") {
    id: ID! @publicData
    ${purposes.map((purpose) => `for${purpose}: String @personalData(category: "loyalty", purposes: ["${purpose}"])`).join('\n    ')}
    forAll: String @personalData(category: "identity.name", purposes: [${list(purposes)}])
    both: String @personalData(category: "loyalty", purposes: [${list(purposes)}]) @requiresScopes(scopes: [["privacy:admin"], ["customers:read", "customers:write"]])
    scoped: String @publicData @requiresScopes(scopes: [["customers:write"]])
    open: String @publicData
  }
`;
const fieldNames = [...purposes.map((purpose) => `for${purpose}`), 'forAll', 'both', 'scoped', 'open'];

/** What the ledger says of a person; `NONE` is a row without subjects, `DOWN` a ledger that fails. */
const states = ['GRANTED', 'CONSENT_REQUIRED', 'RESTRICTED', 'LEDGER_UNAVAILABLE', 'DOWN', 'NONE'] as const;
type State = (typeof states)[number];

const row = (state: State) => ({
  id: state,
  subjects: state === 'NONE' ? [] : [`sub_${state}`],
  ...Object.fromEntries(fieldNames.map((name) => [name, `CANARY-${state}-${name}`])),
});
const rows = states.map((state) => Object.freeze(row(state)));

async function decide(subjects: readonly string[]): Promise<Verdict> {
  const state = subjects[0]?.slice(4) ?? '';
  if (state === 'DOWN') throw new Error('ledger down');
  return state === 'GRANTED' ? { allowed: true } : { allowed: false, reason: state as RefusalReason };
}

const build = (engine: 'shield' | 'guard') =>
  defineSubgraph({
    name: 'people',
    typeDefs,
    engine,
    deciders: { forFetch: () => ({ decide: (_field, subjects) => decide(subjects) }) },
    createLoaders: () => ({ rows: { load: async (key: string) => rows.find((one) => one.id === key) ?? null } }),
    resolvers: {
      Query: { people: () => rows },
      Person: { __resolveReference: referenceResolver('id', (context) => context.loaders.rows) },
    },
  });

const engines = { shield: build('shield'), guard: build('guard') };
const aliased = fieldNames.map((name) => `${name} a_${name}: ${name}`).join(' ');
const paths = {
  list: parse(`{ people { id ${aliased} } }`),
  fragment: parse(`{ people { ...F } } fragment F on Person { id ... on Person { ${aliased} } }`),
  entities: parse(`query ($r: [_Any!]!) { _entities(representations: $r) { ... on Person { id ${aliased} } } }`),
};
const variables = { r: states.map((id) => ({ __typename: 'Person', id, forAll: 'forged' })) };
const scopeSets = [[], ['customers:write'], ['customers:read', 'customers:write'], ['privacy:admin']] as const;

/** The oracle: written apart from the code, from the design's words. */
function expectedOf(field: string, state: State, request: RequestContext): string {
  const { role, scopes } = request.principal;
  const admin = scopes.has('privacy:admin') || (scopes.has('customers:read') && scopes.has('customers:write'));
  if (field === 'open') return 'value';
  if (field === 'scoped') return scopes.has('customers:write') ? 'value' : 'SCOPE_REQUIRED';
  if (field === 'both' && !admin) return 'SCOPE_REQUIRED';
  const serves =
    request.purpose !== null && (field === 'forAll' || field === 'both' || field === `for${request.purpose}`);
  if (!serves || request.purpose === null) return 'PURPOSE_NOT_ALLOWED';
  if (ROLE_PURPOSE_CELLS[role][request.purpose] === 'NEVER') return 'PURPOSE_NOT_ALLOWED';
  if (state === 'GRANTED') return 'value';
  if (state === 'NONE') return 'CONSENT_REQUIRED';
  return state === 'DOWN' ? 'LEDGER_UNAVAILABLE' : state;
}

async function observe(engine: 'shield' | 'guard', path: keyof typeof paths, request: RequestContext) {
  const result = await engines[engine].execute({ document: paths[path], variables, request });
  const at = (steps: readonly (string | number)[] | undefined) => (steps ?? []).join('.');
  const told = new Map([
    ...result.refusals.map((refusal) => [at(refusal.path), refusal.reason] as const),
    ...result.errors.map((error) => [at(error.path), String(error.extensions['code'])] as const),
  ]);
  const key = path === 'entities' ? '_entities' : 'people';
  // The documents above select exactly these fields of every row.
  const answered = result.data?.[key] as readonly Record<string, string | null>[];
  const cells = answered.flatMap((person, index) =>
    fieldNames.flatMap((name) =>
      [name, `a_${name}`].map((response) => {
        const value = person[response];
        const reason = told.get(`${key}.${index}.${response}`);
        return value === `CANARY-${person['id']}-${name}` && reason === undefined
          ? 'value'
          : `${value === null ? '' : 'LEAK '}${reason}`;
      }),
    ),
  );
  return { cells, notices: told.size };
}

const requestOf = (role: Role, purpose: Purpose | null, scopes: (typeof scopeSets)[number]): RequestContext => {
  const base = aRequest();
  return { ...base, purpose, principal: { ...base.principal, role, scopes: new Set(scopes) } };
};

describe('graphql-shield and the compiled guard', () => {
  it.each(ROLES)(
    'decide alike, and as the design says, for every purpose, state, scope and path of a %s',
    async (role) => {
      for (const purpose of [...purposes, null]) {
        for (const scopes of scopeSets) {
          const request = requestOf(role, purpose, scopes);
          const expected = states.flatMap((state) =>
            fieldNames.flatMap((field) => Array(2).fill(expectedOf(field, state, request))),
          );
          for (const path of ['list', 'fragment', 'entities'] as const) {
            const [shield, guard] = [await observe('shield', path, request), await observe('guard', path, request)];
            expect(shield.cells).toEqual(expected);
            expect(guard).toEqual(shield);
            expect(shield.notices).toBe(expected.filter((cell) => cell !== 'value').length);
          }
        }
      }
    },
  );
});
