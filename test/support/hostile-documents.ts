import {
  getIntrospectionQuery,
  getNamedType,
  type GraphQLField,
  type GraphQLNamedType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  isRequiredArgument,
  isUnionType,
} from 'graphql';

import { apiSchemaOf } from '#gateway/api-schema.ts';

/** One request a hostile caller may send; `code` is what refuses it, null where it is answered. */
export interface HostileRequest {
  readonly name: string;
  readonly body: string;
  readonly code: string | null;
}

export const times = (count: number, make: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => make(index)).join(' ');
export const ask = (name: string, query: string, code: string | null, variables: object = {}): HostileRequest => ({
  name,
  body: JSON.stringify({ query, variables }),
  code,
});
const AVAILABILITY = 'query Q($skus: [Sku!]!) { availability(skus: $skus, channel: "web") { sku } }';
const unknownAfter = (space: string): string => `{${space}${times(110, (index) => `x${index}`)} }`;
const afterLines = (count: number): string => AVAILABILITY.replace('(', `(${'\n'.repeat(count)}`);
const INTROSPECTION =
  '{ __schema { types { name description fields { name description args { name type { name ofType { name } } } type { name ofType { name ofType { name } } } } } } }';

const components = (count: number): string =>
  `{ products(first: 1) { nodes { ${times(count, (index) => `...C${index}`)} } } } ${times(count, (index) => `fragment C${index} on Product { sku title listings { __typename } price(channel: "web") { __typename } references { __typename } }`)}`;

const NULLS_BY_FRAGMENTS = `query Q($channel: ID = "web") {${'\n'.repeat(1_500)}
  ${times(19, (index) => `a${index}: product(sku: "1") { ...F }`)} }
  fragment F on Product { ${times(60, () => 'price(channel: $channel) { __typename }')} }`;

/** Every option of graphql's own. */
export const EVERY_INTROSPECTION_OPTION = {
  specifiedByUrl: true,
  directiveIsRepeatable: true,
  schemaDescription: true,
  inputValueDeprecation: true,
  experimentalDirectiveDeprecation: true,
  oneOf: true,
};
export const FULLEST_INTROSPECTION = getIntrospectionQuery(EVERY_INTROSPECTION_OPTION);
export const TWICE_INTROSPECTED = FULLEST_INTROSPECTION.replace(' types {', ' again: types { ...FullType } types {');

/** Fifteen aliases in fifteen, not deeper than validation allows: 15 MB of answer if it were answered. */
export const MULTIPLIED_INTROSPECTION = `{ __schema { types { fields { ${times(15, (index) => `a${index}: type { ...F }`)} } } } }
  fragment F on __Type { ofType { ...G } ...G }
  fragment G on __Type { fields { ${times(15, (index) => `b${index}: type { ...H }`)} } }
  fragment H on __Type { name kind description ofType { name kind ofType { name kind } } }`;

/** Over our own supergraph. */
export const HOSTILE_REQUESTS: readonly HostileRequest[] = [
  ask('10,000 repeated fields', `{ ${times(10_000, () => 'a')} }`, 'LIMIT_COST'),
  ask('as many repeated fields as there may be tokens', `{ ${times(1_990, () => '__typename')} }`, 'LIMIT_COST'),
  ask('1,990 unknown fields', `{ ${times(1_990, (index) => `a${index}`)} }`, 'GRAPHQL_VALIDATION_FAILED'),
  ask('110 unknown fields after 98,000 lines', unknownAfter('\n'.repeat(98_000)), 'LIMIT_COST'),
  ask(
    '110 unknown fields after as many lines as allowed',
    unknownAfter('\n'.repeat(1_990)),
    'GRAPHQL_VALIDATION_FAILED',
  ),
  ask('a hundred wrong items after 98,000 lines', afterLines(98_000), 'LIMIT_COST', { skus: Array(100).fill(null) }),
  ask('a hundred wrong items after as many lines as allowed', afterLines(1_990), 'BAD_USER_INPUT', {
    skus: Array(100).fill(null),
  }),
  ask(
    'repeated fields with arguments that conflict',
    `{ ${times(300, (index) => `channels(x${index}: 1)`)} }`,
    'LIMIT_COST',
  ),
  ask(
    'selections that overlap',
    `{ ${times(19, () => `products(first: 1) { ${times(10, () => 'nodes { sku title }')} }`)} }`,
    'LIMIT_COST',
  ),
  ask(
    'selections that overlap as much as they may',
    `{ ${times(19, () => `products(first: 1) { ${times(4, () => 'nodes { sku title }')} }`)} }`,
    null,
  ),
  ask('500 levels', `${'{ a '.repeat(500)}${'}'.repeat(500)}`, 'LIMIT_DEPTH'),
  ask('100,000 brackets', `{ product(sku: ${'['.repeat(49_000)}${']'.repeat(49_000)}) { sku } }`, 'LIMIT_COST'),
  ask(
    'fragments that double 150 times',
    `{ ...F0 } ${times(150, (index) => `fragment F${index} on Query { ...F${index + 1} ...F${index + 1} }`)} fragment F150 on Query { __typename }`,
    'LIMIT_COST',
  ),
  ask(
    'fragments in a circle',
    `{ ${times(100, (index) => `...F${index}`)} } ${times(100, (index) => `fragment F${index} on Query { channels { id } ...F${(index + 1) % 100} }`)}`,
    'LIMIT_COST',
  ),
  ask('70 fragments of overlapping lists', components(70), 'LIMIT_COST'),
  // A page of many components may ask so.
  ask('60 fragments of overlapping lists', components(60), null),
  ask(
    'fragments of ever other fields, as many as they may',
    `{ ${times(110, (index) => `...F${index}`)} } ${times(110, (index) => `fragment F${index} on Query { ${times(10, (at) => `f${index}_${at}`)} }`)}`,
    'GRAPHQL_VALIDATION_FAILED',
  ),
  ask(
    'spreads of the same fragments',
    `{ ${times(38, () => `channels { ${times(22, (at) => `...F${at}`)} }`)} } ${times(22, (index) => `fragment F${index} on Channel { id }`)}`,
    'LIMIT_COST',
  ),
  ask('an alias __proto__', '{ __proto__: channels { id } }', 'LIMIT_ALIASES'),
  ask('an alias constructor', '{ constructor: channels { id } }', 'LIMIT_ALIASES'),
  ask('an alias __proto__ behind a comment', '{ __proto__ #\n: channels { id } }', 'LIMIT_ALIASES'),
  ask('a list of 200,000 nulls', AVAILABILITY, 'LIMIT_LIST', { skus: Array(200_000).fill(null) }),
  ask('a list of 19,000 wrong items', AVAILABILITY, 'BAD_USER_INPUT', { skus: Array(19_000).fill(null) }),
  {
    name: 'a variable 400,000 levels deep',
    body: `{"query":${JSON.stringify(AVAILABILITY)},"variables":{"skus":${'['.repeat(400_000)}${']'.repeat(400_000)}}}`,
    code: 'LIMIT_DEPTH',
  },
  ask(
    '60,000 variables nobody declared',
    '{ channels { id } }',
    'LIMIT_LIST',
    Object.fromEntries(Array.from({ length: 60_000 }, (_, index) => [`k${index}`, 1])),
  ),
  ask('a text of 900,000 characters', 'query Q($s: Sku!) { product(sku: $s) { sku } }', null, {
    s: 'x'.repeat(900_000),
  }),
  ask('nulls that are refused wherever fragments put them', NULLS_BY_FRAGMENTS, null, { channel: null }),
  ask('the fullest introspection of tools', FULLEST_INTROSPECTION, null),
  ask('nearly as much introspection as allowed', TWICE_INTROSPECTED, null),
  ask('aliases that multiply introspection', MULTIPLIED_INTROSPECTION, 'LIMIT_COST'),
  ask('three introspections', `{ ${times(3, (index) => `a${index}: ${INTROSPECTION.slice(2, -2)}`)} }`, null),
];

const MOST_TOKENS = 1_700;
const MOST_LEVELS = 8;

/** The largest document the limits allow: fields of every type, as deep as eight levels, until the tokens are used up. */
export function largestDocument(supergraphSdl: string): HostileRequest & { readonly fields: number } {
  const schema = apiSchemaOf(supergraphSdl);
  const variables: string[] = [];
  let [tokens, fields] = [0, 0];
  const argumentsOf = (field: GraphQLField<unknown, unknown>): string => {
    const needed = field.args.filter(isRequiredArgument).map((argument) => {
      variables.push(`$v${variables.length}: ${String(argument.type)}`);
      tokens += 9;
      return `${argument.name}: $v${variables.length - 1}`;
    });
    return needed.length === 0 ? '' : `(${needed.join(', ')})`;
  };
  const writeField = (field: GraphQLField<unknown, unknown>, level: number): string => {
    const type = getNamedType(field.type);
    if (tokens > MOST_TOKENS || (isCompositeType(type) && level >= MOST_LEVELS)) return '';
    tokens += 1;
    fields += 1;
    const head = `${field.name}${argumentsOf(field)}`;
    if (!isCompositeType(type)) return head;
    tokens += 2;
    return `${head} { ${writeSet(type, level + 1)} }`;
  };
  const writeSet = (type: GraphQLNamedType, level: number): string => {
    const body =
      isObjectType(type) || isInterfaceType(type)
        ? Object.values(type.getFields()).map((field) => writeField(field, level))
        : isUnionType(type)
          ? schema.getPossibleTypes(type).map((member) => {
              tokens += 5;
              return `... on ${member.name} { ${writeSet(member, level)} }`;
            })
          : [];
    const written = body.filter((part) => part !== '').join(' ');
    if (written === '') tokens += 1;
    return written === '' ? '__typename' : written;
  };
  const root = schema.getQueryType();
  if (root === null || root === undefined) throw new Error('a supergraph has a query type');
  const set = writeSet(root, 1);
  const query = `query Q(${variables.join(', ')}) { ${set} }`;
  // Its variables are not given: it is planned, and refused when it runs.
  return { ...ask('the largest that the limits allow', query, 'BAD_USER_INPUT'), fields };
}
