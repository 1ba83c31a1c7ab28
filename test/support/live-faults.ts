import type { GovernedName } from './governed-subgraphs.ts';

/** One planted fault: what the lint must find, and how to plant it. */
export interface GovernanceFault {
  readonly rule: string;
  readonly what: string;
  readonly where: GovernedName;
  readonly from: string | RegExp;
  readonly to: string;
  readonly coordinate: string;
}

/** Faults of subscriptions and their twins. */
export const liveFaults: readonly GovernanceFault[] = [
  ...(
    [
      ['no twin', '@live(query: "customer", keys: "id")', ''],
      ['a twin that is not there', '@live(query: "customer", ', '@live(query: "order", '],
      ['a twin of another type', 'id: ID!): Customer\n    @live(', 'id: ID!): CustomerConnection\n    @live('],
      ['fewer scopes than its twin', /(keys: "id"\)\n) *@requiresScopes\(.*\)/, '$1'],
      ['keys that are no argument', 'keys: "id"', 'keys: "sku"'],
      [
        'an argument of its own',
        'customerChanged("Its id." id: ID!)',
        'customerChanged("Its id." id: ID!, "More." more: Int)',
      ],
      ['an argument of another type', 'customerChanged("Its id." id: ID!)', 'customerChanged("Its id." id: [ID!]!)'],
      [
        'a missing argument of its twin',
        'customer("Its id." id: ID!)',
        'customer("Its id." id: ID!, "More." more: Int!)',
      ],
    ] as const
  ).map(([what, from, to]): GovernanceFault => ({
    rule: 'live-twins',
    what: `a subscription with ${what}`,
    where: 'customers',
    from,
    to,
    coordinate: 'Subscription.customerChanged',
  })),
  {
    rule: 'live-twins',
    what: '@live on a field of Query',
    where: 'catalog',
    from: 'channels: [Channel!]',
    to: 'channels: [Channel!] @live(query: "channels", keys: "id")',
    coordinate: 'Query.channels',
  },
  {
    rule: 'nullable',
    what: 'a subscription that cannot be null',
    where: 'customers',
    from: 'id: ID!): Customer\n    @live(',
    to: 'id: ID!): Customer!\n    @live(',
    coordinate: 'Subscription.customerChanged',
  },
];
