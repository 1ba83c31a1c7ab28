import { type FragmentDefinitionNode, Kind, type SelectionSetNode } from 'graphql';

import type { ResponsePath } from '#gateway/executor/plan/paths.ts';

/** What the client selected, by response key, under whatever type and condition. */
interface VisibleKeys {
  readonly below: (key: string) => VisibleKeys | null;
}

/**
 * Plans fetch keys and required fields beside what the client asked for. A path of the client ends where its document does.
 */
export interface ClientPaths {
  /** The path as far as the client's document goes. */
  readonly visible: (path: ResponsePath) => ResponsePath;
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
  };
}

/** Made for one level at a time, as paths go down. */
function keysOf(
  sets: readonly SelectionSetNode[],
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): VisibleKeys {
  const keys = new Map<string, SelectionSetNode[]>();
  const seen = new Set<string>();
  const walk = (set: SelectionSetNode): void => {
    for (const node of set.selections) {
      if (node.kind === Kind.FIELD) {
        const key = node.alias?.value ?? node.name.value;
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
    below: (key) => {
      const selected = keys.get(key);
      if (selected === undefined) return null;
      const made = known.get(key) ?? keysOf(selected, fragments);
      known.set(key, made);
      return made;
    },
  };
}
