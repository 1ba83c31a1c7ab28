import { print } from 'graphql';

import { readFieldSet } from './field-sets.ts';
import { directiveNamed, directivesNamed, purposesOf } from './sdl-index.ts';
import type { Finding, Governed, Rule } from './finding.ts';
import type { FieldDeclaration } from './sdl-index.ts';

const governance = ['personalData', 'publicData', 'requiresScopes', 'authenticated'] as const;

const at = (rule: string, field: FieldDeclaration, message: string): Finding => ({
  rule,
  coordinate: field.coordinate,
  subgraph: field.subgraph,
  message,
});

const guardText = (field: FieldDeclaration): string =>
  governance.flatMap((name) => directivesNamed(field.node, name).map((directive) => print(directive))).join(' ');

/** Whether any subgraph declares the field personal or scoped. */
const isGuarded = ({ index }: Governed, coordinate: string): boolean =>
  (index.byCoordinate.get(coordinate) ?? []).some((field) =>
    ['personalData', 'requiresScopes'].some((name) => directiveNamed(field.node, name) !== undefined),
  );

/** `@shareable`, `@external` and `@provides` copies carry the same directives, so that each subgraph enforces them. */
export const sameCopies: Rule = ({ index }) =>
  [...index.byCoordinate.values()].flatMap((declarations) => {
    const copies = declarations.filter((field) => !field.type.isStub);
    const [first, ...others] = copies;
    if (first === undefined) return [];
    const expected = guardText(first);
    return others
      .filter((copy) => guardText(copy) !== expected)
      .map((copy) =>
        at(
          'same-copies',
          copy,
          `must carry the same directives as in ${first.subgraph} (${expected || 'none'}), not ${guardText(copy) || 'none'}`,
        ),
      );
  });

/** A stub only refers: any other field in it would be a copy that nobody enforces. */
export const bareStubs: Rule = ({ index }) =>
  index.types
    .filter((type) => type.isStub)
    .flatMap((type) => {
      const keys = new Set(
        directivesNamed(type, 'key').flatMap((key) => readFieldSet(index, type.name, key).coordinates),
      );
      return type.fields
        .filter((field) => !keys.has(field.coordinate))
        .map((field) => at('bare-stubs', field, 'stands in a `resolvable: false` stub, which may only hold its key'));
    });

/** A field derived by `@requires` serves at most the purposes that every one of its governed inputs serves. */
export const derivedPurposes: Rule = ({ index }) =>
  [...index.byCoordinate.values()].flat().flatMap((field) => {
    const requires = directiveNamed(field.node, 'requires');
    if (requires === undefined) return [];
    const inputs = readFieldSet(index, field.type.name, requires).coordinates.flatMap((coordinate) =>
      (index.byCoordinate.get(coordinate) ?? []).map(purposesOf).filter((purposes) => purposes !== null),
    );
    if (inputs.length === 0) return [];
    const own = purposesOf(field);
    if (own === null) return [at('derived-purposes', field, 'is derived from personal fields and needs @personalData')];
    const excess = own.filter((purpose) => !inputs.every((purposes) => purposes.includes(purpose)));
    return excess.length === 0
      ? []
      : [at('derived-purposes', field, `serves ${excess.join(', ')}, which an input of its @requires does not`)];
  });

/** No personal and no scoped field is in a key: keys travel everywhere. */
export const openKeys: Rule = (governed) =>
  governed.index.types.flatMap((type) =>
    directivesNamed(type, 'key').flatMap((key) =>
      readFieldSet(governed.index, type.name, key)
        .coordinates.filter((coordinate) => isGuarded(governed, coordinate))
        .map((coordinate) => ({
          rule: 'open-keys',
          coordinate,
          subgraph: type.subgraph,
          message: `is personal or scoped and may not be in a @key of ${type.name}`,
        })),
    ),
  );

/** The planner answers wrong values for arguments inside field sets. */
export const plainFieldSets: Rule = ({ index }) => {
  const inFields = [...index.byCoordinate.values()].flat().flatMap((field) =>
    ['requires', 'provides'].flatMap((name) => {
      const directive = directiveNamed(field.node, name);
      return directive !== undefined && readFieldSet(index, field.type.name, directive).hasArguments
        ? [at('plain-field-sets', field, `has arguments inside @${name}: the planner answers wrong values`)]
        : [];
    }),
  );
  return inFields;
};

/** At most one key of several fields: the planner jumps over the wrong one. */
export const oneCompositeKey: Rule = ({ index }) =>
  [...index.byName].flatMap(([name, declarations]) => {
    const composite = new Set(
      declarations.flatMap((type) =>
        directivesNamed(type, 'key')
          .map((key) => readFieldSet(index, name, key))
          .filter((set) => set.width > 1 || set.text.includes('{'))
          .map((set) => set.text),
      ),
    );
    const subgraph = declarations[0]?.subgraph ?? null;
    return composite.size <= 1
      ? []
      : [{ rule: 'one-composite-key', coordinate: name, subgraph, message: `has ${composite.size} composite keys` }];
  });
