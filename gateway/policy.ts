import { Kind, parse, valueFromASTUntyped } from 'graphql';
import type { ConstDirectiveNode, DocumentNode, FieldDefinitionNode } from 'graphql';

import { type AccessRule, readAccessRules } from './access-rules.ts';
import { linksOf } from './composition.ts';
import type { GovernedField } from '#schema/model/consent.ts';

/** What the supergraph says of one field, for static authorization before planning. */
export interface FieldPolicy extends AccessRule {
  readonly personalData: GovernedField | null;
}

/** How long a list can be: `slicingArguments` name the arguments that say it, else `assumedSize` holds. */
export interface ListSize {
  readonly assumedSize: number | null;
  readonly slicingArguments: readonly string[];
  /** Fields of the answer that hold the list; empty: the field itself is the list. */
  readonly sizedFields: readonly string[];
}

/** The field of Query that reads the events of a field of Subscription, and the argument that says what is watched. */
export interface LiveField {
  readonly query: string;
  readonly keys: string;
}

export interface Policy {
  /** `Type.field` -> what it needs; fields that need nothing are absent. Fields of interfaces are included. */
  readonly fields: ReadonlyMap<string, FieldPolicy>;
  readonly listSizes: ReadonlyMap<string, ListSize>;
  /** `Type.field` -> @cost weight. */
  readonly costs: ReadonlyMap<string, number>;
  /** `Subscription.field` -> its twin; fields without one are not answered. */
  readonly live: ReadonlyMap<string, LiveField>;
  /** Types that carry @subject: each row of them is about somebody. */
  readonly peopleTypes: ReadonlySet<string>;
}

const argumentOf = (directive: ConstDirectiveNode | undefined, name: string): unknown => {
  const argument = directive?.arguments?.find((entry) => entry.name.value === name);
  return argument === undefined ? undefined : valueFromASTUntyped(argument.value);
};

const textsOf = (value: unknown): readonly string[] => {
  if (value === undefined || value === null) return [];
  return (Array.isArray(value) ? value : [value]).map(String);
};

/** Directive -> the name it has in this supergraph: a link may rename what it imports. */
function localNames(supergraph: DocumentNode): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const link of linksOf(supergraph)) {
    const spec = String(argumentOf(link, 'url')).split('/').at(-2) ?? '';
    const as = argumentOf(link, 'as');
    if (typeof as === 'string') names.set(spec, as);
    const imports = argumentOf(link, 'import');
    for (const entry of Array.isArray(imports) ? imports : []) {
      if (typeof entry !== 'object' || entry === null) continue;
      const { name, as: alias } = entry as { readonly name?: unknown; readonly as?: unknown };
      if (typeof name === 'string' && typeof alias === 'string') names.set(name.slice(1), alias.slice(1));
    }
  }
  return names;
}

function readPersonalData(coordinate: string, directive: ConstDirectiveNode): GovernedField {
  return {
    coordinate,
    category: String(argumentOf(directive, 'category')),
    purposes: textsOf(argumentOf(directive, 'purposes')),
  };
}

function readListSize(directive: ConstDirectiveNode): ListSize {
  const assumedSize = Number(argumentOf(directive, 'assumedSize'));
  return {
    assumedSize: Number.isInteger(assumedSize) ? assumedSize : null,
    slicingArguments: textsOf(argumentOf(directive, 'slicingArguments')),
    sizedFields: textsOf(argumentOf(directive, 'sizedFields')),
  };
}

/** The rules of a supergraph by coordinate, read from the committed SDL (the API schema carries no directives). */
export function readPolicy(supergraphSdl: string): Policy {
  const document = parse(supergraphSdl, { noLocation: true });
  const names = localNames(document);
  const access = readAccessRules(document, (name) => names.get(name) ?? name);
  const fields = new Map<string, FieldPolicy>();
  const listSizes = new Map<string, ListSize>();
  const costs = new Map<string, number>();
  const live = new Map<string, LiveField>();
  const peopleTypes = new Set<string>();
  const subject = names.get('subject') ?? 'subject';
  const readOne = (coordinate: string, node: FieldDefinitionNode): void => {
    const find = (name: string) =>
      node.directives?.find((directive) => directive.name.value === (names.get(name) ?? name));
    const personal = find('personalData');
    const personalData = personal === undefined ? null : readPersonalData(coordinate, personal);
    const { scopes = null, authenticated = false } = access.get(coordinate) ?? {};
    if (personalData !== null || access.has(coordinate))
      fields.set(coordinate, { scopes, authenticated, personalData });
    const listSize = find('listSize');
    if (listSize !== undefined) listSizes.set(coordinate, readListSize(listSize));
    const twin = find('live');
    if (twin !== undefined)
      live.set(coordinate, { query: String(argumentOf(twin, 'query')), keys: String(argumentOf(twin, 'keys')) });
    const cost = find('cost');
    if (cost !== undefined) costs.set(coordinate, Number(argumentOf(cost, 'weight')));
  };
  for (const type of document.definitions) {
    if (type.kind !== Kind.OBJECT_TYPE_DEFINITION && type.kind !== Kind.INTERFACE_TYPE_DEFINITION) continue;
    if (type.directives?.some(({ name }) => name.value === subject) === true) peopleTypes.add(type.name.value);
    for (const field of type.fields ?? []) readOne(`${type.name.value}.${field.name.value}`, field);
  }
  return { fields, listSizes, costs, live, peopleTypes };
}
