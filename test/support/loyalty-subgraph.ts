import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { runComposeBeside } from '#gateway/commands/compose-beside.ts';
import { type ForeignSubgraph, serveForeignSubgraph } from './foreign-subgraph.ts';
import type { Answer } from './product-client.ts';

const SDL = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.12", import: ["@key", "@external", "@requires", "@requiresScopes", "@composeDirective"])
  @link(url: "https://mortar.dev/governance/v1.0", import: ["@publicData"])
  @composeDirective(name: "@publicData")
directive @publicData on FIELD_DEFINITION
scalar Sku
type Query { bonusProducts: [Product!] }
type Product @key(fields: "sku") {
  sku: Sku! points: Int broken: Int brand: String @external
  slogan: String @requires(fields: "brand") @requiresScopes(scopes: [["catalog:read"]])
}
type Customer @key(fields: "id") { id: ID! @publicData termsVersion: Int @publicData EXTRA }`;

const product = (reference: object) => ({ points: 7, ...reference });
const resolvers = {
  Query: { bonusProducts: () => [product({ sku: 'MG-00001' })] },
  Product: {
    __resolveReference: product,
    slogan: ({ brand }: { readonly brand?: string }) => `we love ${brand}`,
    broken: () => {
      throw new Error('connect ECONNREFUSED secret.internal');
    },
  },
  Customer: { __resolveReference: ({ id }: { readonly id: string }) => ({ id, termsVersion: 3 }) },
};

/** A retailer's own subgraph that extends our products and customers, as docs/your-own-subgraph.md tells to write it. */
export interface Loyalty extends ForeignSubgraph {
  /**
   * Composes it with ours by the command; the file. @param extra field of Customer it has beside
   * @throws {Error} with the report when it does not compose
   */
  readonly composedInto: (folder: string, extra?: string) => string;
  /** Crosses both sides in both directions, and meets people. */
  readonly query: string;
  /** What came of it, for a marketer: `RIGHT` of every gateway. */
  readonly judge: (answer: Answer) => typeof RIGHT;
}

export const RIGHT = {
  status: 200,
  crossed: [{ sku: 'MG-00001', points: 7, hasTitle: true, hasSlogan: true, broken: null }],
  points: [7, 7, 7],
  terms: [3],
  withholdsSomeEmails: true,
  saysWhy: true,
  // Its errors stay at its fields, and its words with it.
  errors: [{ path: 'bonusProducts.0.broken', serviceName: 'loyalty' as unknown }],
  repeatsItsWords: false,
  wasAskedForEntities: true,
  // It was told nothing of the caller, and nothing personal.
  emailsItWasTold: 0,
  headersOfTheCaller: 0,
};

export async function serveLoyalty(): Promise<Loyalty> {
  const server = await serveForeignSubgraph({ sdl: SDL.replace('EXTRA', ''), resolvers });
  return {
    ...server,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    composedInto: (folder, extra = '') => {
      const [schema, out] = [join(folder, 'loyalty.graphql'), join(folder, 'supergraph.graphql')];
      writeFileSync(schema, SDL.replace('EXTRA', extra));
      const { exitCode, lines } = runComposeBeside({ given: [`loyalty=${schema}@${server.url}`], out });
      if (exitCode !== 0) throw new Error(lines.join('\n'));
      return out;
    },
    query: `{ bonusProducts { sku points title slogan broken }
      products(first: 3) { nodes { sku points } }
      customers(first: 50) { nodes { id termsVersion email } } }`,
    judge: ({ status, data, errors, consent }) => {
      const people: { termsVersion: number; email: string | null }[] = data.customers.nodes;
      const emails = people.flatMap(({ email }) => email ?? []);
      const told = server.bodies.join('\n');
      const [{ title, slogan, ...crossed }] = data.bonusProducts;
      return {
        status,
        crossed: [
          { ...crossed, hasTitle: typeof title === 'string', hasSlogan: /^we love (?!undefined|null)/.test(slogan) },
        ],
        points: data.products.nodes.map(({ points }: { points: number }) => points),
        terms: [...new Set(people.map(({ termsVersion }) => termsVersion))],
        withholdsSomeEmails: emails.length > 0 && emails.length < people.length,
        saysWhy: consent.some(({ coordinate }) => coordinate === 'Customer.email'),
        errors: errors.map(({ path, extensions }) => ({
          path: path?.join('.') ?? '',
          serviceName: extensions['serviceName'],
        })),
        repeatsItsWords: JSON.stringify(errors).includes('secret'),
        wasAskedForEntities: told.includes('"representations"'),
        emailsItWasTold: emails.filter((email) => told.includes(email)).length,
        headersOfTheCaller: server.headers
          .flatMap((headers) => Object.keys(headers))
          .filter((name) => /authorization|mortar/.test(name)).length,
      };
    },
  };
}
