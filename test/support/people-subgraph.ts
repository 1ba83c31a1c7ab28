import { parse } from 'graphql';

import { toSubjectId } from '#schema/model/ids.ts';
import { defineSubgraph } from '#platform/define-subgraph.ts';
import { MortarError } from '#platform/errors.ts';
import { batchLoader, referenceResolver } from '#platform/references.ts';
import type { SubgraphDefinition } from '#platform/define-subgraph.ts';
import type { Subgraph, SubgraphResult } from '#platform/subgraph.ts';
import type { ConsentDeciders, GovernedField, Verdict } from '#schema/model/consent.ts';
import type { RequestContext, Scope } from '#schema/model/request.ts';

const typeDefs = /* GraphQL */ `
  type Query {
    person(id: ID!): Person @requiresScopes(scopes: [["customers:read"]])
    people: [Person!]
    slow: String
    upstream: String
    boom: String
    badText: Mood
    own: String
    echo(limit: Int!): Int
    text: String @authenticated
  }
  enum Mood {
    CALM
  }
  type Person @key(fields: "id") @subject(path: "subjects") @owner(team: "t") {
    id: ID! @publicData
    email: String @personalData(category: "contact.email", purposes: ["MARKETING", "SERVICE_SUPPORT"])
    note: String @publicData
    late: String @publicData
    secret: String @requiresScopes(scopes: [["privacy:admin"], ["customers:write", "customers:read"]]) @publicData
  }
`;

export interface Person {
  readonly id: string;
  readonly subjects: unknown;
  readonly email: string;
  readonly note: string;
  readonly secret: string;
}

/** Three people, frozen as rows of a cache are. */
export const people: readonly Person[] = ['1', '2', '3'].map((id) =>
  Object.freeze({ id, subjects: [toSubjectId(`sub_${id}`)], email: `e${id}@x.test`, note: `n${id}`, secret: `s${id}` }),
);

/** A promise that never settles. */
const never = () => new Promise<never>(() => undefined);

export interface PeopleSetup {
  readonly decide?: (subjects: readonly string[], field: GovernedField) => Promise<Verdict>;
  readonly rows?: readonly Person[];
  readonly engine?: 'shield' | 'guard';
  readonly log?: unknown[];
}

/** A subgraph of people with governed, scoped, slow and failing fields, and counts of what it called. */
export function aPeopleSubgraph({ decide, rows = people, engine = 'shield', log = [] }: PeopleSetup = {}) {
  const calls = { reads: 0, loaders: 0, deciders: 0 };
  const deciders: ConsentDeciders = {
    forFetch: () => {
      calls.deciders += 1;
      return { decide: (field, subjects) => (decide ?? (() => Promise.resolve({ allowed: true })))(subjects, field) };
    },
  };
  const definition: SubgraphDefinition<{ people: ReturnType<typeof batchLoader<string, Person>> }> = {
    name: 'people',
    typeDefs,
    deciders,
    engine,
    logger: { error: (facts, message) => log.push({ facts, message }) },
    createLoaders: () => {
      calls.loaders += 1;
      return {
        people: batchLoader<string, Person>(async (keys) => {
          calls.reads += 1;
          return keys.map((key) => rows.find((row) => row.id === key) ?? null);
        }),
      };
    },
    resolvers: {
      Query: {
        person: (_row, { id }, { loaders }) => loaders.people.load(id),
        people: () => rows,
        slow: never,
        upstream: () => {
          throw new MortarError('UPSTREAM_TIMEOUT', { system: 'crm', message: 'host db1 password=hunter2' });
        },
        boom: () => Promise.reject(new Error('secret c5@x.test')),
        badText: () => 'c6@x.test',
        own: () => {
          // oxlint-disable-next-line no-throw-literal -- what a careless library does
          throw 'leak@x.test';
        },
        echo: (_row, { limit }) => limit,
        text: () => 'ok',
      },
      Person: {
        __resolveReference: referenceResolver('id', (context) => context.loaders.people),
        late: (row: Person) => (row.id === '2' ? never() : Promise.resolve('in time')),
      },
    },
  };
  return { subgraph: defineSubgraph(definition), calls };
}

/** A marketer who declares MARKETING, with a minute left. */
export function aRequest(
  over: Partial<RequestContext> = {},
  scopes: readonly Scope[] = ['customers:read'],
): RequestContext {
  return {
    requestId: 'req-1',
    deadlineAtMs: Date.now() + 60_000,
    signal: new AbortController().signal,
    purpose: 'MARKETING',
    medium: null,
    principal: {
      client: 'c',
      role: 'marketer',
      scopes: new Set(scopes),
      purposes: ['MARKETING'],
      customer: null,
      stores: [],
      recipient: null,
    },
    ...over,
  };
}

/** Runs one document. */
export async function ask(
  subgraph: Subgraph,
  source: string,
  request = aRequest(),
  variables: Record<string, unknown> = {},
): Promise<SubgraphResult> {
  return subgraph.execute({ document: parse(source), variables, request });
}
