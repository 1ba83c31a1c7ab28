import { type FieldNode, type FragmentDefinitionNode, Kind, type SelectionSetNode } from 'graphql';

import { type Guard, guardKey, guardOf } from '#gateway/executor/plan/guards.ts';

/** A selection set and when it counts. */
export interface GuardedSet {
  readonly set: SelectionSetNode;
  readonly guard: Guard;
}

/** Everything the client selected under one response key of one type, in the order of GraphQL's CollectFields. */
export interface CollectedField {
  readonly key: string;
  readonly node: FieldNode;
  readonly guards: Guard[];
  readonly sets: GuardedSet[];
}

export interface Collecting {
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Whether a fragment on this type applies; undefined: no condition. */
  readonly applies: (condition: string) => boolean;
  /** Called for each selection visited; throws when a document costs too much. */
  readonly spend: () => void;
}

/** The fields of selection sets by response key. */
export function collectFields(
  sets: readonly GuardedSet[],
  collecting: Collecting,
): ReadonlyMap<string, CollectedField> {
  const found = new Map<string, CollectedField>();
  const spread = new Set<string>();
  const add = (node: FieldNode, guard: Guard): void => {
    const key = node.alias?.value ?? node.name.value;
    const known = found.get(key) ?? { key, node, guards: [], sets: [] };
    found.set(key, known);
    known.guards.push(guard);
    if (node.selectionSet !== undefined) known.sets.push({ set: node.selectionSet, guard });
  };
  const walk = ({ set, guard: outer }: GuardedSet): void => {
    for (const node of set.selections) {
      collecting.spend();
      const guard = guardOf(node.directives, outer);
      if (guard === null) continue;
      if (node.kind === Kind.FIELD) {
        add(node, guard);
        continue;
      }
      if (node.kind === Kind.FRAGMENT_SPREAD) {
        const seen = `${node.name.value} ${guardKey(guard)}`;
        if (spread.has(seen)) continue;
        spread.add(seen);
      }
      const body = node.kind === Kind.INLINE_FRAGMENT ? node : collecting.fragments.get(node.name.value);
      if (body === undefined) continue;
      const condition = body.typeCondition?.name.value;
      if (condition === undefined || collecting.applies(condition)) walk({ set: body.selectionSet, guard });
    }
  };
  for (const set of sets) walk(set);
  return found;
}
