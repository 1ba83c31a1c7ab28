import {
  getNamedType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLSchema,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  parse,
  validate,
} from 'graphql';

import { createRandom, type Random } from '#sandbox/world/random.ts';

export interface RandomOperation {
  readonly text: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** A valid operation over a schema, with aliases, fragments, variables, @skip and @include; null: this seed gives none. */
export function createRandomOperation(schema: GraphQLSchema, seed: number): RandomOperation | null {
  const operation = new Writer(schema, createRandom(seed, 'operation')).write();
  return validate(schema, parse(operation.text)).length === 0 ? operation : null;
}

const MAX_FIELDS = 45;
const MAX_DEPTH = 6;

class Writer {
  private readonly schema: GraphQLSchema;
  private readonly random: Random;
  private readonly fragments: string[] = [];
  private readonly variables = new Map<string, { readonly type: string; readonly value: unknown }>();
  private fields = 0;
  private counter = 0;

  constructor(schema: GraphQLSchema, random: Random) {
    this.schema = schema;
    this.random = random;
  }

  write(): RandomOperation {
    const mutation = this.schema.getMutationType();
    const mutates = mutation !== null && mutation !== undefined && this.random.chance(0.2);
    const root = mutates ? mutation : this.schema.getQueryType();
    if (root === null || root === undefined) throw new Error('a schema has a query type');
    const body = this.selection(root, 1);
    const defined = [...this.variables].map(([name, { type }]) => `$${name}: ${type}`).join(', ');
    const head = `${mutates ? 'mutation' : 'query'} Random${defined === '' ? '' : `(${defined})`}`;
    const given = [...this.variables].filter(([, { value }]) => value !== undefined);
    return {
      text: [`${head} ${body}`, ...this.fragments].join('\n'),
      variables: Object.fromEntries(given.map(([name, { value }]) => [name, value])),
    };
  }

  private next(prefix: string): string {
    this.counter += 1;
    return `${prefix}${this.counter}`;
  }

  private selection(type: GraphQLNamedType, depth: number): string {
    // Changes of several subgraphs in turn, with what one reads between.
    const most = depth > 1 ? 4 : type === this.schema.getMutationType() ? 6 : 3;
    const parts = Array.from({ length: this.random.between(1, most) }, () => this.part(type, depth));
    const written = parts.filter((part) => part !== '');
    return `{ ${written.length === 0 ? '__typename' : written.join(' ')} }`;
  }

  private part(type: GraphQLNamedType, depth: number): string {
    const kind = this.random.weighted([
      ['field', 14],
      ['typename', 1],
      ['inline', isAbstractType(type) ? 8 : 1],
      ['named', 1],
    ] as const);
    if (kind === 'typename') return this.random.chance(0.3) ? `${this.next('t')}: __typename` : '__typename';
    if (kind === 'inline' && depth < MAX_DEPTH) return this.inline(type, depth);
    if (kind === 'named' && depth < MAX_DEPTH) return this.named(type, depth);
    if (!isObjectType(type) && !isInterfaceType(type)) return '__typename';
    return this.field(this.random.pick(Object.values(type.getFields())), depth);
  }

  private field(field: GraphQLField<unknown, unknown>, depth: number): string {
    const type = getNamedType(field.type);
    const composite = isCompositeType(type);
    if (this.fields > MAX_FIELDS || (composite && depth >= MAX_DEPTH)) return '';
    this.fields += 1;
    const given = field.args.flatMap((argument) => this.argument(argument)).join(', ');
    // Few names: two places then often show different things under one key.
    const name = this.random.chance(0.5) ? this.random.pick(['a', 'b', 'c']) : this.next('a');
    const alias = this.random.chance(given === '' ? 0.15 : 0.6) ? `${name}: ` : '';
    const list = given === '' ? '' : `(${given})`;
    const below = composite ? ` ${this.selection(type, depth + 1)}` : '';
    return `${alias}${field.name}${list}${this.condition()}${below}`;
  }

  private argument({ name, type, defaultValue }: GraphQLArgument): string[] {
    const required = isNonNullType(type) && defaultValue === undefined;
    if (!required && !this.random.chance(0.7)) return [];
    const value = !isNonNullType(type) && this.random.chance(0.15) ? null : this.inputValue(type);
    if (!this.random.chance(0.5)) return [`${name}: ${literal(value, type)}`];
    const variable = this.next('v');
    const absent = !isNonNullType(type) && this.random.chance(0.2);
    this.variables.set(variable, { type: String(type), value: absent ? undefined : value });
    return [`${name}: $${variable}`];
  }

  private inputValue(type: GraphQLInputType): unknown {
    if (isNonNullType(type)) return this.inputValue(type.ofType);
    if (isListType(type)) return Array.from({ length: this.random.between(0, 2) }, () => this.inputValue(type.ofType));
    if (isEnumType(type)) return this.random.pick(type.getValues()).name;
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields());
      const given = fields.filter((field) => isNonNullType(field.type) || this.random.chance(0.6));
      return Object.fromEntries(given.map((field) => [field.name, this.inputValue(field.type)]));
    }
    if (type.name === 'Boolean') return this.random.chance(0.5);
    // Pages of no rows are refused where end users ask, and the oracle asks as one.
    return type.name === 'Int' || type.name === 'Float' ? this.random.between(1, 9) : `s${this.random.between(0, 9)}`;
  }

  private condition(): string {
    if (!this.random.chance(0.08)) return '';
    const name = this.random.pick(['skip', 'include']);
    if (this.random.chance(0.3)) return ` @${name}(if: ${this.random.chance(0.5)})`;
    const variable = this.random.pick(['on', 'off', 'usual']);
    this.variables.set(
      variable,
      variable === 'usual'
        ? { type: 'Boolean! = true', value: undefined }
        : { type: 'Boolean!', value: variable === 'on' },
    );
    return ` @${name}(if: $${variable})`;
  }

  /** A type on which a fragment within this type can apply. */
  private narrowed(type: GraphQLNamedType): GraphQLNamedType {
    if (isAbstractType(type)) return this.random.pick([...this.schema.getPossibleTypes(type), type]);
    const wider = isObjectType(type) ? type.getInterfaces() : [];
    return this.random.pick([type, ...wider]);
  }

  private inline(type: GraphQLNamedType, depth: number): string {
    const bare = this.random.chance(0.15);
    const on = bare ? type : this.narrowed(type);
    const body = this.selection(on, depth + (isAbstractType(type) ? 0 : 1));
    return `...${bare ? '' : ` on ${on.name}`}${this.condition()} ${body}`;
  }

  private named(type: GraphQLNamedType, depth: number): string {
    const name = this.next('F');
    const on = this.narrowed(type);
    this.fragments.push(`fragment ${name} on ${on.name} ${this.selection(on, depth + 1)}`);
    return `...${name}${this.condition()}${this.random.chance(0.2) ? ` ...${name}` : ''}`;
  }
}

function literal(value: unknown, given: GraphQLInputType): string {
  const type = isNonNullType(given) ? given.ofType : given;
  if (Array.isArray(value) && isListType(type)) {
    const entries = value.map((entry: unknown) => literal(entry, type.ofType));
    return `[${entries.join(', ')}]`;
  }
  if (typeof value === 'object' && value !== null && isInputObjectType(type)) {
    const fields = type.getFields();
    const entries = Object.entries(value).flatMap(([key, entry]) => {
      const field = fields[key];
      return field === undefined ? [] : [`${key}: ${literal(entry, field.type)}`];
    });
    return `{${entries.join(', ')}}`;
  }
  return isEnumType(type) && typeof value === 'string' ? value : JSON.stringify(value);
}
