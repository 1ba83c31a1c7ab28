import { Kind, print } from 'graphql';

import { argumentOf, directiveNamed, directivesNamed, indexSdls, rootTypes } from './sdl-index.ts';
import type { Finding, Rule } from './finding.ts';
import type { SdlIndex, TypeDeclaration } from './sdl-index.ts';

const at = (rule: string, type: TypeDeclaration, message: string): Finding => ({
  rule,
  coordinate: type.name,
  subgraph: type.subgraph,
  message,
});

/** Types that callers see: no roots, and of each name one declaration to report at. */
function ownTypes(index: SdlIndex): readonly (readonly [TypeDeclaration, readonly TypeDeclaration[]])[] {
  return [...index.byName]
    .filter(([name]) => !rootTypes.has(name))
    .flatMap(([, declarations]) => {
      const full = declarations.filter((type) => !type.isStub);
      const first = full[0] ?? declarations[0];
      return first === undefined ? [] : [[first, full] as const];
    });
}

/** Every type and every field has a description, wherever it is declared in full. */
export const described: Rule = ({ index }) => {
  const types = ownTypes(index)
    .filter(([, declarations]) => declarations.every((type) => (type.description ?? '').trim() === ''))
    .map(([type]) => at('described', type, 'has no description'));
  const fields = [...index.byCoordinate.values()].flatMap((declarations) => {
    const [first] = declarations;
    const silent = declarations.every((field) => (field.node.description?.value ?? '').trim() === '');
    if (first === undefined || !silent) return [];
    const { coordinate, subgraph } = first;
    return [
      { rule: 'described', coordinate, subgraph, message: 'has no description: say meaning, unit and when it is null' },
    ];
  });
  return [...types, ...fields];
};

/** Every type has a team that answers for it. */
export const owned: Rule = ({ index }) =>
  ownTypes(index)
    .filter(([, declarations]) => declarations.every((type) => directiveNamed(type, 'owner') === undefined))
    .map(([type]) => at('owned', type, 'has no @owner(team:)'));

/** `@subject` and `@owner` of a type are the same in every subgraph that declares it; a stub carries neither. */
export const sameSubjects: Rule = ({ index }) =>
  [...index.byName.values()].flatMap((declarations) => {
    const full = declarations.filter((type) => !type.isStub);
    const findings = declarations
      .filter((type) => type.isStub && (directiveNamed(type, 'subject') ?? directiveNamed(type, 'owner')) !== undefined)
      .map((type) =>
        at('same-subjects', type, 'is a `resolvable: false` stub and may carry neither @subject nor @owner'),
      );
    for (const name of ['subject', 'owner']) {
      const textOf = (type: TypeDeclaration) =>
        directivesNamed(type, name)
          .map((directive) => print(directive))
          .join(' ');
      const expected = full[0] === undefined ? '' : textOf(full[0]);
      for (const type of full.filter((other) => textOf(other) !== expected)) {
        findings.push(
          at('same-subjects', type, `must carry the same @${name} as in ${full[0]?.subgraph} (${expected || 'none'})`),
        );
      }
    }
    return findings;
  });

/** A type about people loads its own rows: it resolves references, and its subjects are a hidden field of the row. */
export const resolvedSubjects: Rule = ({ index }) =>
  index.types.flatMap((type) => {
    const subject = directiveNamed(type, 'subject');
    if (subject === undefined) return [];
    const path = argumentOf(subject, 'path');
    const findings: Finding[] = [];
    if (path !== 'subjects') findings.push(at('resolved-subjects', type, '@subject(path:) must be "subjects"'));
    if (type.fields.some((field) => field.name === path)) {
      findings.push(
        at('resolved-subjects', type, `shows its subjects as the field "${String(path)}": they never leave the graph`),
      );
    }
    const unresolved = directivesNamed(type, 'key').some((key) => argumentOf(key, 'resolvable') === false);
    if (unresolved) findings.push(at('resolved-subjects', type, 'is about people: every @key must be resolvable'));
    return findings;
  });

const fieldDirectives = [
  'personalData',
  'publicData',
  'requiresScopes',
  'authenticated',
  'listSize',
  'cost',
  'owner',
  'live',
];

/** Composition drops directives without a word: every use in a subgraph is found in the supergraph. */
export const reachesSupergraph: Rule = ({ index, supergraphSdl }) => {
  const supergraph = indexSdls([{ name: 'supergraph', sdl: supergraphSdl }]);
  const onTypes = index.types.flatMap((type) =>
    ['subject', 'owner']
      .filter((name) => directiveNamed(type, name) !== undefined)
      .filter((name) => !supergraph.byName.get(type.name)?.some((other) => directiveNamed(other, name) !== undefined))
      .map((name) => at('reaches-supergraph', type, `@${name} did not reach the supergraph`)),
  );
  const onFields = [...index.byCoordinate.values()].flat().flatMap((field) => {
    const composed = supergraph.byCoordinate.get(field.coordinate)?.[0];
    return fieldDirectives.flatMap((name) => {
      const used = directiveNamed(field.node, name);
      if (used === undefined) return [];
      const found = composed === undefined ? undefined : directiveNamed(composed.node, name);
      // Scopes of copies are merged by composition; the others must arrive word for word.
      const arrived = found !== undefined && (name === 'requiresScopes' || print(found) === print(used));
      const { coordinate, subgraph } = field;
      const message = `@${name} did not reach the supergraph unchanged`;
      return arrived ? [] : [{ rule: 'reaches-supergraph', coordinate, subgraph, message }];
    });
  });
  return [...onTypes, ...onFields];
};

/** Every subgraph means the same by a directive: the shared header is its only link, definitions are word for word alike. */
export const sharedHeader: Rule = ({ index }) => {
  const texts = new Map<string, string>();
  return [...index.documents].flatMap(([subgraph, document]) => {
    const finding = (coordinate: string, message: string): Finding => ({
      rule: 'shared-header',
      coordinate,
      subgraph,
      message,
    });
    const findings: Finding[] = [];
    const schemas = document.definitions.filter(
      (node) => node.kind === Kind.SCHEMA_EXTENSION || node.kind === Kind.SCHEMA_DEFINITION,
    );
    if (schemas.length !== 1)
      findings.push(finding('schema', 'links and schema directives stand in schema/directives.graphql only'));
    for (const node of document.definitions) {
      if (node.kind !== Kind.DIRECTIVE_DEFINITION) continue;
      const text = print({ ...node, description: undefined });
      const known = texts.get(node.name.value) ?? text;
      texts.set(node.name.value, known);
      if (known !== text) findings.push(finding(`@${node.name.value}`, 'is defined differently in another subgraph'));
    }
    if (/@federation__/.test(print(document)))
      findings.push(finding('schema', 'uses a federation directive that is not imported by the header'));
    return findings;
  });
};
