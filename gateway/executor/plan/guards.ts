import { type DirectiveNode, Kind } from 'graphql';

/** Variables and the truth values under which a selection counts; empty: always. */
export type Guard = readonly { readonly variable: string; readonly value: boolean }[];

export const ALWAYS: Guard = [];

/** The guard of a selection with these directives inside a guarded one; null: it never counts. */
export function guardOf(directives: readonly DirectiveNode[] | undefined, outer: Guard): Guard | null {
  let guard = outer;
  for (const { name, arguments: given } of directives ?? []) {
    if (name.value !== 'skip' && name.value !== 'include') continue;
    const value = name.value === 'include';
    const condition = given?.find((argument) => argument.name.value === 'if')?.value;
    if (condition?.kind === Kind.BOOLEAN) {
      if (condition.value !== value) return null;
    } else if (condition?.kind === Kind.VARIABLE) {
      const variable = condition.name.value;
      const known = guard.find((entry) => entry.variable === variable);
      if (known === undefined) guard = [...guard, { variable, value }];
      else if (known.value !== value) return null;
    }
  }
  return guard;
}

export function holds(guard: Guard, variables: Readonly<Record<string, unknown>>): boolean {
  return guard.every(({ variable, value }) => (variables[variable] === true) === value);
}

/** The same text for guards that mean the same. */
export function guardKey(guard: Guard): string {
  return guard
    .map(({ variable, value }) => `${value ? '' : '!'}${variable}`)
    .toSorted()
    .join(' ');
}
