import { subgraphSdl } from '#platform/subgraph-sdl.ts';

/** Type definitions of two small subgraphs that keep every rule of governance. */
const governedTypeDefs = {
  customers: `
"People."
type Query {
  "One person; null when there is none."
  customer("Its id." id: ID!): Customer @requiresScopes(scopes: [["customers:read"]])
  "Everyone."
  customers("Rows of a page." first: Int = 20): CustomerConnection
    @requiresScopes(scopes: [["customers:read"]])
    @listSize(slicingArguments: ["first"], sizedFields: ["nodes"], requireOneSlicingArgument: false)
}

"Live people."
type Subscription {
  "One person, again after each change."
  customerChanged("Its id." id: ID!): Customer
    @live(query: "customer", keys: "id")
    @requiresScopes(scopes: [["customers:read"]])
}

"Anything with a name."
interface Named @owner(team: "identity") {
  "The name; null when it is withheld."
  name: String @personalData(category: "identity.name", purposes: ["SERVICE_SUPPORT", "MARKETING"])
}

"A person who buys."
type Customer implements Named @key(fields: "id") @subject(path: "subjects") @owner(team: "identity") {
  "The person's id."
  id: ID! @publicData
  "The name; null when it is withheld."
  name: String @personalData(category: "identity.name", purposes: ["SERVICE_SUPPORT", "MARKETING"])
  "An address; null when it is withheld."
  email: String @personalData(category: "contact.email", purposes: ["SERVICE_SUPPORT", "MARKETING"])
}

"A page of people."
type CustomerConnection @owner(team: "identity") {
  "The people of the page."
  nodes: [Customer!]!
}
`,
  orders: `
"Orders."
type Query {
  "One order; null when there is none."
  order("Its id." id: ID!): Order @requiresScopes(scopes: [["orders:read"]])
}

"An order."
type Order @key(fields: "id") @subject(path: "subjects") @owner(team: "orders") {
  "The order's id."
  id: ID! @publicData
  "What was paid; null when it is withheld."
  total: Money @personalData(category: "behavior.orders", purposes: ["SERVICE_SUPPORT"])
  "Where it was bought."
  channel: Channel @publicData
}

type Channel @key(fields: "id", resolvable: false) {
  "The channel's id."
  id: ID!
}

type Customer @key(fields: "id") @subject(path: "subjects") @owner(team: "identity") {
  id: ID! @publicData
  email: String @external @personalData(category: "contact.email", purposes: ["SERVICE_SUPPORT", "MARKETING"])
  "A hash of the address; null when it is withheld."
  gravatar: String @requires(fields: "email") @personalData(category: "contact.email", purposes: ["MARKETING"])
}
`,
  catalog: `
"Goods."
type Query {
  "Every channel."
  channels: [Channel!]
}

"A sales channel."
type Channel @key(fields: "id") @owner(team: "catalog") {
  "The channel's id."
  id: ID!
  "Its name; null when it has none."
  name: String
}
`,
} as const;

export type GovernedName = keyof typeof governedTypeDefs;

/** The subgraphs with complete SDL, after `change` of their type definitions. */
export function governedSubgraphs(change: Partial<Record<GovernedName, (text: string) => string>> = {}) {
  return (['catalog', 'customers', 'orders'] as const).map((name) => ({
    name,
    sdl: subgraphSdl((change[name] ?? ((text: string) => text))(governedTypeDefs[name])),
  }));
}
