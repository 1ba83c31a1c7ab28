// Supergraphs of others that are hard to plan over, with documents that make it felt.
import { ask, type HostileRequest, times } from './hostile-documents.ts';
import { composeSubgraphs } from '#gateway/composition.ts';

const LINK =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable", "@external", "@requires"])';
const SUBGRAPHS = 5;
const FIELDS = 14;

/** A supergraph of others that is hard to plan over: 14 fields, each answered by 5 subgraphs. */
export function composePlannerBomb(): string {
  const shared = times(FIELDS, (index) => `f${index}: T @shareable`);
  return composeSubgraphs(
    Array.from({ length: SUBGRAPHS }, (_, index) => ({
      name: `s${index}`,
      sdl: `${LINK} ${index === 0 ? 'type Query { t: T }' : ''} type T @key(fields: "id") { id: ID! ${shared} own${index}: Int }`,
    })),
  );
}

/** Over the planner's bomb: what is planned in time is answered. */
export const PLANNER_BOMBS: readonly HostileRequest[] = [
  ask('14 contested fields', `{ t { ${times(FIELDS, (index) => `f${index} { own${index % SUBGRAPHS} }`)} } }`, null),
  ask(
    '14 in 14 contested fields',
    `{ t { ${times(FIELDS, (outer) => `f${outer} { ${times(FIELDS, (index) => `f${index} { own${index % SUBGRAPHS} }`)} }`)} } }`,
    null,
  ),
  ask('ten levels of one', `{ t ${'{ f0 '.repeat(10)}{ own0 own1 }${' }'.repeat(10)} }`, 'LIMIT_COST'),
];

const INTERFACE_TYPES = 8;

/**
 * An interface of 8 entity types of two subgraphs: `next` is answered by one, `related` by the other, `shared` by both.
 * The planner takes it apart into its types at each way from one subgraph to the other.
 */
export function composeInterfaceBomb(): string {
  const subgraph = (field: string): string => {
    const fields = `{ id: ID! ${field}: N shared: N`;
    const types = times(
      INTERFACE_TYPES,
      (index) => `type T${index} implements N @key(fields: "id") ${fields} @shareable }`,
    );
    return `${LINK} interface N ${fields} } ${types}`;
  };
  return composeSubgraphs([
    { name: 'a', sdl: `${subgraph('next')} type Query { nodes: [N] }` },
    { name: 'b', sdl: subgraph('related') },
  ]);
}

const nested = (levels: number, fieldAt: (level: number) => string): string =>
  `{ nodes { ${times(levels, (level) => `${fieldAt(level)} {`)} id ${'}'.repeat(levels)} } }`;
const fromOneToTheOther = (level: number): string => (level % 2 === 0 ? 'related' : 'next');

/** Over the interface's bomb. */
export const INTERFACE_BOMBS: readonly HostileRequest[] = [
  ask('an interface of 8 types, three levels', nested(3, fromOneToTheOther), null),
  ask('an interface of 8 types, eight levels', nested(8, fromOneToTheOther), 'LIMIT_COST'),
  ask(
    'an interface of 8 types that both answer, one level',
    nested(1, () => 'shared'),
    null,
  ),
  ask(
    'an interface of 8 types that both answer, two levels',
    nested(2, () => 'shared'),
    'LIMIT_COST',
  ),
];

/**
 * An entity of so many subgraphs, each with keys of its own: `own` and `next` of each its own, `later` of each needs that
 * of the one before.
 */
export function composeChain(graphs: number, keysOf: (graph: number) => readonly string[]): string {
  return composeSubgraphs(
    Array.from({ length: graphs }, (_, graph) => {
      const keys = keysOf(graph);
      const before = `later${graph - 1}`;
      const later = graph === 0 ? '' : `${before}: Int @external later${graph}: Int @requires(fields: "${before}")`;
      return {
        name: `s${graph}`,
        sdl: `${LINK} ${graph === 0 ? 'type Query { t: T }' : ''} type T ${keys.map((key) => `@key(fields: "${key}")`).join(' ')} {
          ${keys.map((key) => `${key}: ID!`).join(' ')} own${graph}: Int next${graph}: T ${graph === 0 ? 'later0: Int' : later} }`,
      };
    }),
  );
}

const KEY_GRAPHS = 6;

/** The planner looks for a way to each key by ways to the others. */
export const composeKeyBomb = (): string => composeChain(KEY_GRAPHS, (graph) => [`k${graph}`, `k${graph + 1}`]);

/** So many fields, each answered by the subgraph at the other end of so many keys. */
const thereAndBack = (fields: number, keys: number): string =>
  `{ t { ${times(fields, (index) => `next${index % 2 === 0 ? keys : 0} {`)} __typename ${'}'.repeat(fields)} } }`;

/** Over the keys' bomb. */
export const KEY_BOMBS: readonly HostileRequest[] = [
  ask('a field behind four keys', thereAndBack(1, 4), null),
  ask('three fields behind three keys each', thereAndBack(3, 3), null),
  ask('nine fields behind five keys each', thereAndBack(9, 5), 'LIMIT_COST'),
];

const CHAINED_GRAPHS = 8;

/** The planner goes back for what a field needs first, and for what that needs. */
export const composeRequiresBomb = (): string => composeChain(CHAINED_GRAPHS, () => ['id']);

/** Over that one. */
export const REQUIRES_BOMBS: readonly HostileRequest[] = [
  ask('a field that needs seven others first', `{ t { later${CHAINED_GRAPHS - 1} } }`, null),
  ask('all eight of them', `{ t { ${times(CHAINED_GRAPHS, (index) => `later${index}`)} } }`, null),
];
