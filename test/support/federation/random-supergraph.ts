import { type GraphQLNamedType, type GraphQLSchema, isAbstractType, isObjectType } from 'graphql';

import { createRandom, type Random } from '#sandbox/world/random.ts';

/** Small subgraphs that compose, with whatever federation offers; the same for the same seed. */
export interface RandomModel {
  readonly subgraphs: readonly { readonly name: string; readonly sdl: string }[];
  readonly entities: readonly string[];
  /** Abstract type -> its object types. */
  readonly possible: ReadonlyMap<string, readonly string[]>;
  /** Field with @requires -> the field it requires, `x` or `x { y }`. */
  readonly requires: ReadonlyMap<string, string>;
}

/** The model of subgraphs that exist: entities and abstract types as their SDL has them. Keys are single ids or SKUs. */
export function modelOf(
  subgraphs: readonly { readonly name: string; readonly sdl: string }[],
  apiSchema: GraphQLSchema,
): RandomModel {
  const types = Object.values(apiSchema.getTypeMap());
  const isEntity = ({ name }: GraphQLNamedType): boolean =>
    subgraphs.some(({ sdl }) => new RegExp(`^type ${name} [^{]*@key\\(`, 'm').test(sdl));
  return {
    subgraphs,
    entities: types.filter((type) => isObjectType(type) && isEntity(type)).map(({ name }) => name),
    possible: new Map(
      types.filter(isAbstractType).map((type) => [type.name, apiSchema.getPossibleTypes(type).map(({ name }) => name)]),
    ),
    requires: new Map(),
  };
}

interface EntityPart {
  readonly keys: Set<string>;
  readonly implements: Set<string>;
  readonly fields: Map<string, string>;
}

interface Part {
  readonly name: string;
  readonly entities: Map<string, EntityPart>;
  /** Entities known by id alone. */
  readonly stubs: Set<string>;
  readonly query: string[];
  readonly mutation: string[];
  readonly extra: string[];
  usesValues: boolean;
}

const SCALARS = ['Int', 'String', 'Boolean', 'Float', 'ID', 'Color', 'JSON'];
const FEDERATION = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@shareable", "@external", "@requires", "@provides", "@override", "@interfaceObject"])`;
const SHARED = `
scalar JSON
enum Color { RED GREEN BLUE }
input Filter { limit: Int, names: [String!], color: Color }
`;
const VALUES = `
type Money @shareable { amount: Int currency: String parent: Money }
`;
const LINK = 'type Link @shareable { code: String! }';
/** A key within a value. */
const NESTED_KEY = 'link { code }';

/** A model of 2 to 5 subgraphs with 2 to 4 entities. */
export function createRandomModel(seed: number): RandomModel {
  return new Builder(createRandom(seed, 'supergraph')).build();
}

/** Puts one model together; what is drawn depends on what was drawn before. */
class Builder {
  private readonly random: Random;
  private readonly parts: Part[];
  private readonly entities: string[];
  private readonly homes = new Map<string, Part>();
  private readonly possible = new Map<string, string[]>();
  private readonly requires = new Map<string, string>();
  private counter = 0;

  constructor(random: Random) {
    this.random = random;
    this.parts = Array.from({ length: random.between(2, 5) }, (_, index) => emptyPart(`s${index}`));
    this.entities = Array.from({ length: random.between(2, 4) }, (_, index) => `E${index}`);
  }

  build(): RandomModel {
    for (const entity of this.entities) this.placeEntity(entity);
    this.addAbstractTypes();
    for (const entity of this.entities) this.addEntityFields(entity);
    this.addRoots();
    if (this.random.chance(0.4)) this.addInterfaceObject();
    return {
      subgraphs: this.parts.map((part) => ({ name: part.name, sdl: print(part) })),
      entities: this.entities,
      possible: this.possible,
      requires: this.requires,
    };
  }

  private next(prefix: string): string {
    this.counter += 1;
    return `${prefix}${this.counter}`;
  }

  private placeEntity(entity: string): void {
    const { random } = this;
    const home = random.pick(this.parts);
    this.homes.set(entity, home);
    const homePart = entityPart(home, entity);
    homePart.keys.add('id');
    for (const part of this.parts) {
      if (part === home || !random.chance(0.7)) continue;
      const key = random.weighted([
        ['id', 6],
        ['code', 2],
        ['id tag', 2],
        [NESTED_KEY, 2],
      ] as const);
      homePart.keys.add(key);
      entityPart(part, entity).keys.add(key);
    }
  }

  private partsOf(entity: string): Part[] {
    return this.parts.filter((part) => part.entities.has(entity));
  }

  /** A type that can be named in this subgraph. */
  private typeIn(part: Part): string {
    const { random } = this;
    const named = random.weighted([
      ['scalar', 6],
      ['entity', 5],
      ['value', 1],
      ['abstract', 2],
    ] as const);
    const name = ((): string => {
      if (named === 'scalar') return random.pick(SCALARS);
      if (named === 'value') {
        part.usesValues = true;
        return 'Money';
      }
      const abstract = [...this.possible.keys()].filter((type) =>
        part.extra.some((text) => text.includes(` ${type} `)),
      );
      if (named === 'abstract' && abstract.length > 0) return random.pick(abstract);
      const entity = random.pick(this.entities);
      if (!part.entities.has(entity)) part.stubs.add(entity);
      return entity;
    })();
    const composite = !SCALARS.includes(name);
    const inner = random.chance(composite ? 0.1 : 0.2) ? `${name}!` : name;
    const list = random.chance(0.35) ? `[${inner}]` : inner.replace('!', '');
    const nested = list.startsWith('[') && random.chance(0.1) ? `[${list}]` : list;
    return !composite && random.chance(0.15) ? `${nested}!` : nested;
  }

  private argumentsText(): string {
    return this.random.weighted([
      ['', 6],
      ['(x: Int = 3)', 2],
      ['(ids: [ID!], color: Color)', 1],
      ['(filter: Filter)', 1],
    ] as const);
  }

  private addEntityFields(entity: string): void {
    const parts = this.partsOf(entity);
    for (const part of parts) {
      const { fields } = entityPart(part, entity);
      for (let left = this.random.between(1, 3); left > 0; left -= 1)
        fields.set(this.next('f'), `${this.argumentsText()}: ${this.typeIn(part)}`);
      if (this.random.chance(0.08)) fields.set(this.next('root'), ': Query');
    }
    if (parts.length < 2) return;
    const [one, other] = this.twoOf(parts);
    if (this.random.chance(0.5)) this.addShareable(entity, one, other);
    if (this.random.chance(0.4)) this.addOverride(entity, one, other);
    if (this.random.chance(0.6)) this.addRequires(entity, one, other);
    if (this.random.chance(0.5)) this.addProvides(entity, one, other);
  }

  private twoOf(parts: readonly Part[]): [Part, Part] {
    const one = this.random.pick(parts);
    return [one, this.random.pick(parts.filter((part) => part !== one))];
  }

  private addShareable(entity: string, one: Part, other: Part): void {
    const name = this.next('sh');
    const type = this.random.pick(['Int', 'String', '[Int]', 'Money', '[Money]', 'JSON']);
    for (const part of [one, other]) {
      entityPart(part, entity).fields.set(name, `: ${type} @shareable`);
      if (type.includes('Money')) part.usesValues = true;
    }
  }

  private addOverride(entity: string, from: Part, to: Part): void {
    const name = this.next('ov');
    const type = this.random.pick(['Int', 'String', '[Color]']);
    entityPart(from, entity).fields.set(name, `: ${type}`);
    entityPart(to, entity).fields.set(name, `: ${type} @override(from: "${from.name}")`);
  }

  private addRequires(entity: string, owner: Part, user: Part): void {
    const needed = this.next('n');
    const name = this.next('r');
    const type = this.random.pick(['Int', 'String', 'Int!', '[String]', 'Money', '[Money]']);
    const isNested = type.includes('Money');
    if (isNested) for (const part of [owner, user]) part.usesValues = true;
    const set = isNested ? `${needed} { amount }` : needed;
    entityPart(owner, entity).fields.set(needed, `: ${type}`);
    const { fields } = entityPart(user, entity);
    fields.set(needed, `: ${type} @external`);
    fields.set(name, `: String @requires(fields: "${set}")`);
    this.requires.set(name, set);
  }

  private addProvides(entity: string, owner: Part, provider: Part): void {
    const name = this.next('p');
    const type = this.random.pick(['Int', 'String', '[Int]']);
    entityPart(owner, entity).fields.set(name, `: ${type} @shareable`);
    entityPart(provider, entity).fields.set(name, `: ${type} @external`);
    const list = this.random.chance(0.5);
    provider.query.push(`${this.next('q')}: ${list ? `[${entity}]` : entity} @provides(fields: "${name}")`);
  }

  private addAbstractTypes(): void {
    const { random } = this;
    for (const part of this.parts) {
      const here = this.entities.filter((entity) => part.entities.has(entity));
      if (here.length === 0) continue;
      if (!this.possible.has('Named') && random.chance(0.5)) {
        this.possible.set('Named', here);
        const others = this.parts.filter(
          (other) => other !== part && here.every((entity) => other.entities.has(entity)),
        );
        const owner = others.length > 0 && random.chance(0.8) ? random.pick(others) : null;
        part.extra.push(`interface Named { id: ID! label: String ${owner === null ? '' : 'size: Int'} }`);
        for (const entity of here) {
          if (owner !== null) this.addElsewhere(entity, part, owner);
          entityPart(part, entity).implements.add('Named');
          entityPart(part, entity).fields.set('label', ': String');
        }
      } else if (!this.possible.has('Thing') && random.chance(0.6)) {
        part.usesValues = true;
        this.possible.set('Thing', [...here, 'Money']);
        part.extra.push(`union Thing = ${[...here, 'Money'].join(' | ')}`);
      }
    }
  }

  /**
   * The interface's field lives in another subgraph, for some types non-null: the planner spreads the interface over its
   * types, whose fields then cannot stand under one key of one fetch.
   */
  private addElsewhere(entity: string, part: Part, owner: Part): void {
    const type = this.random.pick(['Int', 'Int!']);
    entityPart(owner, entity).fields.set('size', `: ${type}`);
    entityPart(part, entity).fields.set('size', `: ${type} @external`);
  }

  private addRoots(): void {
    const { random } = this;
    for (const part of this.parts) {
      for (let left = random.between(1, 3); left > 0; left -= 1)
        part.query.push(`${this.next('q')}${this.argumentsText()}: ${this.typeIn(part).replace(/!$/, '')}`);
      for (const entity of part.entities.keys())
        if (random.chance(0.6)) part.query.push(`${this.next('q')}: [${entity}]`);
      for (const type of this.possible.keys())
        if (part.extra.some((text) => text.includes(` ${type} `))) part.query.push(`${this.next('q')}: [${type}]`);
      for (const entity of part.entities.keys())
        if (random.chance(0.3)) part.mutation.push(`${this.next('m')}(x: Int): ${entity}`);
    }
  }

  /** An interface that is an entity, and a subgraph that knows it as an object. */
  private addInterfaceObject(): void {
    const home = this.random.pick(this.parts.filter((part) => part.entities.size > 0));
    const types = [...home.entities.keys()].filter((entity) => this.homes.get(entity) === home);
    if (types.length === 0) return;
    this.possible.set('Media', types);
    home.extra.push('interface Media @key(fields: "id") { id: ID! caption: String }');
    for (const entity of types) {
      entityPart(home, entity).implements.add('Media');
      entityPart(home, entity).fields.set('caption', ': String');
    }
    home.query.push(`${this.next('q')}: [Media]`);
    const ratings = emptyPart('ratings');
    ratings.extra.push('type Media @key(fields: "id") @interfaceObject { id: ID! rating: Int stars(x: Int): [Int] }');
    ratings.query.push(`${this.next('q')}: [Media]`, `${this.next('q')}: Media`);
    this.parts.push(ratings);
  }
}

function emptyPart(name: string): Part {
  return { name, entities: new Map(), stubs: new Set(), query: [], mutation: [], extra: [], usesValues: false };
}

function entityPart(part: Part, entity: string): EntityPart {
  const known = part.entities.get(entity) ?? { keys: new Set(), implements: new Set(), fields: new Map() };
  part.entities.set(entity, known);
  return known;
}

/** The fields of a key, without what is within them. */
function namesOf(key: string): readonly string[] {
  return key === NESTED_KEY ? ['link'] : key.split(' ');
}

function print(part: Part): string {
  const entities = [...part.entities].map(([type, entity]) => {
    const keys = [...entity.keys].map((key) => `@key(fields: "${key}")`).join(' ');
    const names = new Set([...entity.keys].flatMap(namesOf));
    // An interface asks for the id.
    if (entity.implements.size > 0) names.add('id');
    const isKey = (field: string): boolean => [...entity.keys].some((key) => namesOf(key).includes(field));
    const typeOf = (name: string): string => (name === 'id' ? 'ID!' : name === 'link' ? 'Link!' : 'String!');
    const keyFields = [...names].map((name) => `  ${name}: ${typeOf(name)}${isKey(name) ? '' : ' @shareable'}`);
    const fields = [...entity.fields].map(([field, rest]) => `  ${field}${rest}`);
    const implemented = entity.implements.size === 0 ? '' : ` implements ${[...entity.implements].join(' & ')}`;
    return `type ${type}${implemented} ${keys} {\n${[...keyFields, ...fields].join('\n')}\n}`;
  });
  const stubs = [...part.stubs]
    .filter((name) => !part.entities.has(name))
    .map((name) => `type ${name} @key(fields: "id", resolvable: false) { id: ID! }`);
  const query = part.query.length === 0 ? [`ping_${part.name}: Int`] : part.query;
  return [
    FEDERATION,
    SHARED,
    part.usesValues ? VALUES : '',
    [...part.entities.values()].some(({ keys }) => keys.has(NESTED_KEY)) ? LINK : '',
    ...entities,
    ...stubs,
    ...part.extra,
    `type Query {\n  ${query.join('\n  ')}\n}`,
    part.mutation.length === 0 ? '' : `type Mutation {\n  ${part.mutation.join('\n  ')}\n}`,
  ].join('\n');
}
