import { Kind, print } from 'graphql';
import type { InputValueDefinitionNode } from 'graphql';

import { argumentOf, directiveNamed, indexSdls, rootTypes, textArgument } from '#gateway/governance/sdl-index.ts';
import { sharedSdl } from '#platform/subgraph-sdl.ts';
import { code, generatedNote, table } from './markdown.ts';
import type { FieldDeclaration, SdlIndex, TypeDeclaration } from '#gateway/governance/sdl-index.ts';
import type { SubgraphSdl } from '#gateway/subgraph-schemas.ts';
import type { Page } from './markdown.ts';

const kindNames = {
  OBJECT: 'type',
  INTERFACE: 'interface',
  UNION: 'union',
  ENUM: 'enum',
  INPUT: 'input',
  SCALAR: 'scalar',
} as const;

function argumentText(node: InputValueDefinitionNode): string {
  const fallback = node.defaultValue === undefined ? '' : ` = ${print(node.defaultValue)}`;
  return `${node.name.value}: ${print(node.type)}${fallback}`;
}

function meaning({ node }: FieldDeclaration): string {
  const own = node.description?.value ?? '';
  const args = 'arguments' in node ? (node.arguments ?? []) : [];
  const told = args
    .filter((argument) => argument.description !== undefined)
    .map((argument) => `${code(argument.name.value)}: ${argument.description?.value}`);
  const deprecated = directiveNamed(node, 'deprecated');
  const reason = deprecated === undefined ? [] : [`**Deprecated**: ${textArgument(deprecated, 'reason')}`];
  return [own, ...told, ...reason].join(' ');
}

function needs({ node }: FieldDeclaration): string {
  const scopes = argumentOf(directiveNamed(node, 'requiresScopes'), 'scopes');
  const lists = Array.isArray(scopes) ? scopes : [];
  const scoped = lists.map((all: unknown) => (Array.isArray(all) ? all.map(String).join(' and ') : String(all)));
  const personal = directiveNamed(node, 'personalData');
  const purposes = argumentOf(personal, 'purposes');
  return [
    ...(scoped.length === 0 ? [] : [`scope ${scoped.join(', or ')}`]),
    ...(directiveNamed(node, 'authenticated') === undefined ? [] : ['a token']),
    ...(personal === undefined
      ? []
      : [`consent: ${textArgument(personal, 'category')} for ${(Array.isArray(purposes) ? purposes : []).join(', ')}`]),
  ].join('; ');
}

function fieldTable(type: TypeDeclaration): readonly string[] {
  if (type.fields.length === 0) return [];
  const rows = type.fields.map((field) => {
    const { node } = field;
    const args = 'arguments' in node ? (node.arguments ?? []).map(argumentText) : [];
    const name = args.length === 0 ? field.name : `${field.name}(${args.join(', ')})`;
    const fallback = node.kind === Kind.INPUT_VALUE_DEFINITION && node.defaultValue !== undefined;
    const typeText = fallback ? `${print(node.type)} = ${print(node.defaultValue)}` : print(node.type);
    return [code(name), code(typeText), meaning(field), needs(field)];
  });
  return ['', table([type.kind === 'INPUT' ? 'Value' : 'Field', 'Type', 'Meaning', 'Needs'], rows)];
}

function membersOf(index: SdlIndex, type: TypeDeclaration): readonly string[] {
  const nodes = index.documents.get(type.subgraph)?.definitions ?? [];
  return nodes.flatMap((node) => {
    if (!('name' in node) || node.name?.value !== type.name) return [];
    if (node.kind === Kind.ENUM_TYPE_DEFINITION) {
      const rows = (node.values ?? []).map((value) => [code(value.name.value), value.description?.value ?? '']);
      return ['', table(['Value', 'Meaning'], rows)];
    }
    if (node.kind !== Kind.UNION_TYPE_DEFINITION) return [];
    return ['', `One of ${(node.types ?? []).map((member) => code(member.name.value)).join(', ')}.`];
  });
}

function typeSection(index: SdlIndex, type: TypeDeclaration): string {
  const owner = textArgument(directiveNamed(type, 'owner'), 'team');
  const key = textArgument(directiveNamed(type, 'key'), 'fields');
  const facts = [
    kindNames[type.kind],
    ...(owner === '' ? [] : [`owner: ${owner}`]),
    ...(key === '' ? [] : [`key: ${code(key)}`]),
    ...(directiveNamed(type, 'subject') === undefined ? [] : ['about people']),
  ];
  const intro = type.description === null ? [] : ['', type.description.trim()];
  const title = rootTypes.has(type.name) ? `## ${type.name} fields` : `## ${type.name}`;
  return [title, '', `*${facts.join(' · ')}*`, ...intro, ...fieldTable(type), ...membersOf(index, type)].join('\n');
}

function page(path: string, title: string, intro: string, sections: readonly string[]): Page {
  return { path, text: [generatedNote, '', `# ${title}`, '', intro, '', sections.join('\n\n'), ''].join('\n') };
}

/** docs/schema/*.md: one page a subgraph, one for the shared types, and the list of them. */
export function schemaPages(subgraphs: readonly SubgraphSdl[]): readonly Page[] {
  const shared = indexSdls([{ name: 'shared', sdl: sharedSdl() }]);
  const index = indexSdls(subgraphs);
  const pages = subgraphs.map(({ name }) => {
    const own = index.types.filter((type) => type.subgraph === name && !shared.byName.has(type.name) && !type.isStub);
    const roots = own.filter((type) => rootTypes.has(type.name));
    const others = own.filter((type) => !rootTypes.has(type.name));
    const sections = [...roots, ...others].map((type) => typeSection(index, type));
    const intro = `What the subgraph ${code(name)} declares. A field without needs is open to every token.`;
    return page(`docs/schema/${name}.md`, `Subgraph ${name}`, intro, sections);
  });
  const sharedSections = shared.types.map((type) => typeSection(shared, type));
  const sharedPage = page(
    'docs/schema/shared.md',
    'Shared types',
    'Scalars and value types of every subgraph.',
    sharedSections,
  );
  const links = [...subgraphs.map(({ name }) => name), 'shared'].map((name) => `- [${name}](${name}.md)`);
  const list = page('docs/schema/README.md', 'Schema reference', 'One page a subgraph.', [links.join('\n')]);
  return [list, sharedPage, ...pages];
}
