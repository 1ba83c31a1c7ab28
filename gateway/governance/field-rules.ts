import { Kind } from 'graphql';

import { isCategory } from '#schema/categories.ts';
import { isPurpose } from '#schema/purposes.ts';
import { argumentOf, directiveNamed, namedTypeOf, purposesOf, rootTypes } from './sdl-index.ts';
import type { Finding, Rule } from './finding.ts';
import type { FieldDeclaration, TypeDeclaration } from './sdl-index.ts';

const output = (types: readonly TypeDeclaration[]): readonly FieldDeclaration[] =>
  types.filter((type) => type.kind === 'OBJECT' || type.kind === 'INTERFACE').flatMap((type) => type.fields);

const at = (rule: string, field: FieldDeclaration, message: string): Finding => ({
  rule,
  coordinate: field.coordinate,
  subgraph: field.subgraph,
  message,
});

const has = (field: FieldDeclaration, directive: string): boolean =>
  directiveNamed(field.node, directive) !== undefined;

/** Every field of a type about people says whether it is personal. */
export const classified: Rule = ({ index }) =>
  output(index.types).flatMap((field) => {
    const aboutPeople = index.byName
      .get(field.type.name)
      ?.some((type) => directiveNamed(type, 'subject') !== undefined);
    if (aboutPeople !== true || field.type.isStub) return [];
    const marks = ['personalData', 'publicData'].filter((name) => has(field, name)).length;
    if (marks === 1) return [];
    const problem = marks === 0 ? 'is not classified' : 'is both personal and public';
    return [at('classified', field, `${problem}: give it @personalData or @publicData`)];
  });

/** Categories and purposes are those of the registries, and a governed field's row can name its subjects. */
export const registered: Rule = ({ index }) =>
  output(index.types).flatMap((field) => {
    const directive = directiveNamed(field.node, 'personalData');
    if (directive === undefined) return [];
    const category = String(argumentOf(directive, 'category'));
    const purposes = purposesOf(field) ?? [];
    const findings: Finding[] = [];
    if (!isCategory(category))
      findings.push(at('registered', field, `category "${category}" is not in schema/categories.ts`));
    for (const purpose of purposes.filter((name) => !isPurpose(name))) {
      findings.push(at('registered', field, `purpose "${purpose}" is not in schema/purposes.ts`));
    }
    if (purposes.length === 0) findings.push(at('registered', field, 'serves no purpose: name at least one'));
    if (field.type.kind === 'OBJECT' && directiveNamed(field.type, 'subject') === undefined) {
      findings.push(
        at('registered', field, `is governed, but ${field.type.name} has no @subject here: it would always be refused`),
      );
    }
    return findings;
  });

/** A field that can be withheld is nullable, or its absence would take its parents with it; so are the roots. */
export const nullable: Rule = ({ index }) =>
  output(index.types).flatMap((field) => {
    if (field.node.type.kind !== Kind.NON_NULL_TYPE) return [];
    const cause = ['personalData', 'requiresScopes', 'authenticated'].find((name) => has(field, name));
    if (cause !== undefined) return [at('nullable', field, `carries @${cause} and must be nullable`)];
    const isRoot = rootTypes.has(field.type.name);
    return isRoot
      ? [at('nullable', field, 'is a root field and must be nullable: one outage would null the whole answer')]
      : [];
  });

/** A connection says how long it can be. */
export const listSized: Rule = ({ index }) =>
  output(index.types).flatMap((field) => {
    if (!namedTypeOf(field.node.type).name.value.endsWith('Connection')) return [];
    const directive = directiveNamed(field.node, 'listSize');
    const bounded =
      directive !== undefined &&
      (argumentOf(directive, 'slicingArguments') !== undefined || argumentOf(directive, 'assumedSize') !== undefined);
    return bounded
      ? []
      : [at('list-sized', field, 'returns a connection and needs @listSize(slicingArguments: ["first"], ...)')];
  });

/** An interface's field allows what any implementing type's field allows, no more and no less. */
export const interfaceUnion: Rule = ({ index }) =>
  output(index.types).flatMap((field) => {
    if (field.type.kind !== 'INTERFACE') return [];
    const implementers = index.types.filter((type) => type.interfaces.includes(field.type.name));
    const copies = implementers.flatMap((type) => type.fields.filter((own) => own.name === field.name));
    const union = new Set(copies.flatMap((copy) => purposesOf(copy) ?? []));
    const own = new Set(purposesOf(field));
    const findings: Finding[] = [];
    if (union.symmetricDifference(own).size > 0) {
      findings.push(
        at('interface-union', field, `must list the purposes of its implementers: ${[...union].join(', ') || 'none'}`),
      );
    }
    const scoped = copies.some((copy) => has(copy, 'requiresScopes'));
    if (scoped !== has(field, 'requiresScopes')) {
      findings.push(at('interface-union', field, 'must carry @requiresScopes exactly when an implementer does'));
    }
    return findings;
  });
