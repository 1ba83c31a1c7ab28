import { Kind, print } from 'graphql';
import type { InputValueDefinitionNode } from 'graphql';

import { directiveNamed, directivesNamed, textArgument } from './sdl-index.ts';
import type { Finding, Rule } from './finding.ts';
import type { FieldDeclaration } from './sdl-index.ts';

const argumentsOf = ({ node }: FieldDeclaration): readonly InputValueDefinitionNode[] =>
  'arguments' in node ? (node.arguments ?? []) : [];

const guardText = ({ node }: FieldDeclaration): string =>
  ['requiresScopes', 'authenticated', 'personalData', 'listSize']
    .flatMap((name) => directivesNamed(node, name).map((directive) => print(directive)))
    .join(' ');

const isRequired = ({ type, defaultValue }: InputValueDefinitionNode): boolean =>
  type.kind === Kind.NON_NULL_TYPE && defaultValue === undefined;

/** What keeps the twin from answering what the subscription promises; null: nothing. */
function mismatch(field: FieldDeclaration, twin: FieldDeclaration, keys: string): string | null {
  const name = `Query.${twin.name}`;
  if (print(field.node.type) !== print(twin.node.type)) return `must have the type of ${name}`;
  if (guardText(field) !== guardText(twin)) return `must carry the same scopes, purposes and sizes as ${name}`;
  const own = argumentsOf(field);
  if (!own.some((argument) => argument.name.value === keys)) return `has no argument "${keys}" to watch`;
  const typeOf = (argument: InputValueDefinitionNode): string => print(argument.type);
  const others = argumentsOf(twin);
  const foreign = own.find((argument) => {
    const other = others.find((candidate) => candidate.name.value === argument.name.value);
    return other === undefined || typeOf(other) !== typeOf(argument);
  });
  if (foreign !== undefined) return `takes "${foreign.name.value}", which ${name} does not take in that type`;
  const missing = others.find(
    (argument) => isRequired(argument) && !own.some((given) => given.name.value === argument.name.value),
  );
  return missing === undefined ? null : `needs the argument "${missing.name.value}" of ${name}`;
}

/**
 * Every field of Subscription names the field of Query that reads its events, in the same subgraph, with the same type,
 * rules and arguments: otherwise a stream could show what a query does not.
 */
export const liveTwins: Rule = ({ index }) =>
  index.types
    .flatMap((type) => type.fields)
    .flatMap((field): readonly Finding[] => {
      const at = (message: string): readonly Finding[] => [
        { rule: 'live-twins', coordinate: field.coordinate, subgraph: field.subgraph, message },
      ];
      const live = directiveNamed(field.node, 'live');
      if (field.type.name !== 'Subscription')
        return live === undefined ? [] : at('@live belongs on Subscription fields');
      if (live === undefined) return at('needs @live(query:, keys:): which field of Query reads its events');
      const query = textArgument(live, 'query');
      const twin = index.byCoordinate.get(`Query.${query}`)?.find(({ subgraph }) => subgraph === field.subgraph);
      if (twin === undefined) return at(`names Query.${query}, which this subgraph does not have`);
      const wrong = mismatch(field, twin, textArgument(live, 'keys'));
      return wrong === null ? [] : at(wrong);
    });
