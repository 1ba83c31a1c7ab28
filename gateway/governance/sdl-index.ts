import { Kind, isTypeDefinitionNode, isTypeExtensionNode, parse, valueFromASTUntyped } from 'graphql';
import type {
  ConstDirectiveNode,
  DocumentNode,
  FieldDefinitionNode,
  InputValueDefinitionNode,
  NamedTypeNode,
  TypeDefinitionNode,
  TypeExtensionNode,
  TypeNode,
} from 'graphql';

/** One field of one type, as one subgraph declares it. */
export interface FieldDeclaration {
  readonly subgraph: string;
  readonly type: TypeDeclaration;
  readonly coordinate: string;
  readonly name: string;
  readonly node: FieldDefinitionNode | InputValueDefinitionNode;
}

/** One type, as one subgraph declares it (definition and extensions together). */
export interface TypeDeclaration {
  readonly subgraph: string;
  readonly name: string;
  readonly kind: 'OBJECT' | 'INTERFACE' | 'UNION' | 'ENUM' | 'INPUT' | 'SCALAR';
  readonly description: string | null;
  readonly directives: readonly ConstDirectiveNode[];
  readonly interfaces: readonly string[];
  readonly fields: readonly FieldDeclaration[];
  /** An entity that this subgraph only refers to: every `@key` says `resolvable: false`. */
  readonly isStub: boolean;
}

/** Every subgraph's declarations, the ground of the governance lint. */
export interface SdlIndex {
  readonly documents: ReadonlyMap<string, DocumentNode>;
  readonly types: readonly TypeDeclaration[];
  readonly byName: ReadonlyMap<string, readonly TypeDeclaration[]>;
  /** `Type.field` -> its declarations in every subgraph. */
  readonly byCoordinate: ReadonlyMap<string, readonly FieldDeclaration[]>;
}

export const rootTypes: ReadonlySet<string> = new Set(['Query', 'Mutation', 'Subscription']);

export function argumentOf(directive: ConstDirectiveNode | undefined, name: string): unknown {
  const argument = directive?.arguments?.find((entry) => entry.name.value === name);
  return argument === undefined ? undefined : valueFromASTUntyped(argument.value);
}

/** A text argument; empty when it is absent or no text. */
export function textArgument(directive: ConstDirectiveNode | undefined, name: string): string {
  const value = argumentOf(directive, name);
  return typeof value === 'string' ? value : '';
}

export function directivesNamed(
  node: { readonly directives?: readonly ConstDirectiveNode[] | undefined },
  name: string,
): readonly ConstDirectiveNode[] {
  return (node.directives ?? []).filter((directive) => directive.name.value === name);
}

export function directiveNamed(
  node: { readonly directives?: readonly ConstDirectiveNode[] | undefined },
  name: string,
): ConstDirectiveNode | undefined {
  return directivesNamed(node, name)[0];
}

/** The purposes of a field's `@personalData`; null: the field is not governed. */
export function purposesOf(field: FieldDeclaration): readonly string[] | null {
  const directive = directiveNamed(field.node, 'personalData');
  if (directive === undefined) return null;
  const purposes = argumentOf(directive, 'purposes');
  return (Array.isArray(purposes) ? purposes : [purposes]).map(String);
}

export function namedTypeOf(type: TypeNode): NamedTypeNode {
  return type.kind === Kind.NAMED_TYPE ? type : namedTypeOf(type.type);
}

const kinds = {
  [Kind.OBJECT_TYPE_DEFINITION]: 'OBJECT',
  [Kind.OBJECT_TYPE_EXTENSION]: 'OBJECT',
  [Kind.INTERFACE_TYPE_DEFINITION]: 'INTERFACE',
  [Kind.INTERFACE_TYPE_EXTENSION]: 'INTERFACE',
  [Kind.UNION_TYPE_DEFINITION]: 'UNION',
  [Kind.UNION_TYPE_EXTENSION]: 'UNION',
  [Kind.ENUM_TYPE_DEFINITION]: 'ENUM',
  [Kind.ENUM_TYPE_EXTENSION]: 'ENUM',
  [Kind.INPUT_OBJECT_TYPE_DEFINITION]: 'INPUT',
  [Kind.INPUT_OBJECT_TYPE_EXTENSION]: 'INPUT',
  [Kind.SCALAR_TYPE_DEFINITION]: 'SCALAR',
  [Kind.SCALAR_TYPE_EXTENSION]: 'SCALAR',
} as const;

function declare(subgraph: string, name: string, nodes: readonly (TypeDefinitionNode | TypeExtensionNode)[]) {
  const directives = nodes.flatMap((node) => node.directives ?? []);
  const keys = directives.filter((directive) => directive.name.value === 'key');
  const described = nodes.find((node) => 'description' in node && node.description !== undefined);
  const fields: FieldDeclaration[] = [];
  const type: TypeDeclaration = {
    subgraph,
    name,
    kind: kinds[nodes[0]?.kind ?? Kind.SCALAR_TYPE_DEFINITION],
    description: described !== undefined && 'description' in described ? (described.description?.value ?? null) : null,
    directives,
    interfaces: nodes
      .flatMap((node) => ('interfaces' in node ? (node.interfaces ?? []) : []))
      .map((it) => it.name.value),
    fields,
    isStub: keys.length > 0 && keys.every((key) => argumentOf(key, 'resolvable') === false),
  };
  for (const part of nodes) {
    const own: readonly (FieldDefinitionNode | InputValueDefinitionNode)[] =
      'fields' in part ? (part.fields ?? []) : [];
    for (const node of own) {
      fields.push({ subgraph, type, coordinate: `${name}.${node.name.value}`, name: node.name.value, node });
    }
  }
  return type;
}

function declarationsOf(subgraph: string, document: DocumentNode): readonly TypeDeclaration[] {
  const nodes = document.definitions.filter((node) => isTypeDefinitionNode(node) || isTypeExtensionNode(node));
  const byName = Map.groupBy(nodes, (node) => node.name.value);
  return [...byName].map(([name, parts]) => declare(subgraph, name, parts));
}

/** Reads subgraph SDLs into declarations. @throws {GraphQLError} when one does not parse. */
export function indexSdls(subgraphs: readonly { readonly name: string; readonly sdl: string }[]): SdlIndex {
  const documents = new Map(subgraphs.map(({ name, sdl }) => [name, parse(sdl)]));
  const types = [...documents].flatMap(([name, document]) => declarationsOf(name, document));
  return {
    documents,
    types,
    byName: Map.groupBy(types, (type) => type.name),
    byCoordinate: Map.groupBy(
      types.flatMap((type) => type.fields),
      (field) => field.coordinate,
    ),
  };
}
