import { type FragmentDefinitionNode, Kind, type SelectionSetNode } from 'graphql';

import type { ResponsePath } from '#gateway/executor/plan/paths.ts';

/** What the client selected, by response key, under whatever type and condition. */
interface VisibleKeys {
  /** The field a key shows. */
  readonly fieldOf: (key: string) => string | null;
  readonly below: (key: string) => VisibleKeys | null;
}

/**
 * Plans fetch keys and required fields beside what the client asked for. A path of the client ends where its document does.
 */
export interface ClientPaths {
  /** The path as far as the client's document goes. */
  readonly visible: (path: ResponsePath) => ResponsePath;
  /** The path in the words of the schema: an alias is the caller's own, and may say anything. */
  readonly named: (path: readonly string[]) => readonly string[];
}

export function createClientPaths(
  set: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): ClientPaths {
  let root: VisibleKeys | null = null;
  return {
    visible: (path) => {
      root ??= keysOf([set], fragments);
      let keys: VisibleKeys | null = root;
      for (const [index, step] of path.entries()) {
        if (typeof step === 'number') continue;
        keys = keys.below(step);
        if (keys === null) return path.slice(0, index);
      }
      return path;
    },
    named: (path) => {
      let keys: VisibleKeys | null = (root ??= keysOf([set], fragments));
      return path.map((step) => {
        if (step === '@') return step;
        // What the client did not select, the planner did.
        const name = keys?.fieldOf(step) ?? step;
        keys = keys?.below(step) ?? null;
        return name;
      });
    },
  };
}

/** Made for one level at a time, as paths go down. */
function keysOf(
  sets: readonly SelectionSetNode[],
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): VisibleKeys {
  const keys = new Map<string, SelectionSetNode[]>();
  const fields = new Map<string, string>();
  const seen = new Set<string>();
  const walk = (set: SelectionSetNode): void => {
    for (const node of set.selections) {
      if (node.kind === Kind.FIELD) {
        const key = node.alias?.value ?? node.name.value;
        fields.set(key, node.name.value);
        keys.set(key, [...(keys.get(key) ?? []), ...(node.selectionSet === undefined ? [] : [node.selectionSet])]);
      } else if (node.kind === Kind.INLINE_FRAGMENT) walk(node.selectionSet);
      else if (!seen.has(node.name.value)) {
        seen.add(node.name.value);
        const fragment = fragments.get(node.name.value);
        if (fragment !== undefined) walk(fragment.selectionSet);
      }
    }
  };
  for (const set of sets) walk(set);
  const known = new Map<string, VisibleKeys>();
  return {
    fieldOf: (key) => fields.get(key) ?? null,
    below: (key) => {
      const selected = keys.get(key);
      if (selected === undefined) return null;
      const made = known.get(key) ?? keysOf(selected, fragments);
      known.set(key, made);
      return made;
    },
  };
}
