import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  parse,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

import { requestError } from '#gateway/http/request-error.ts';

/** Fields and fragments with one response key are compared pair by pair, with all that is selected below them. */
const MOST_COMPARISONS = 20_000;
/**
 * Names looked for among those of another selection, and pairs of spreads found to be compared already: as many count as
 * one comparison. One takes some 100 ns; a comparison 230 to 500 where there are arguments, selections or a conflict, and
 * 20 where there are none (graphql 16.15, warm).
 */
const LOOKUPS_OF_COMPARISON = 5;
/** So short a text cannot hold that many. */
const SHORT_CHARACTERS = 300;
const REMEMBERED_TEXTS = 2_000;

export type OverlapLimits = (text: string, maxTokens: number) => void;

/**
 * A check that refuses documents whose validation would hold the event loop: the rule that fields of one name must be
 * mergeable looks at every pair of them, and of the fragments of a selection, and pairs of pairs below: a thousand tokens
 * can ask for a hundred thousand comparisons. Counts them beforehand and stops at the limit. Each text is looked at once.
 * @throws {GraphQLError} LIMIT_COST
 */
export function createOverlapLimits(): OverlapLimits {
  const harmless = new LRUCache<string, true>({ max: REMEMBERED_TEXTS });
  return (text, maxTokens) => {
    if (text.length <= SHORT_CHARACTERS) return;
    const key = createHash('sha256').update(text).digest('base64');
    if (harmless.has(key)) return;
    const document = parsed(text, maxTokens);
    if (document !== null && countComparisons(document, MOST_COMPARISONS) >= MOST_COMPARISONS)
      throw requestError('LIMIT_COST', 'The document selects too many fields and fragments under the same names.');
    harmless.set(key, true);
  };
}

/** Null: it is not GraphQL, and the parser proper says so better. */
function parsed(text: string, maxTokens: number): DocumentNode | null {
  try {
    return parse(text, { maxTokens, noLocation: true });
  } catch (error) {
    if (error instanceof GraphQLError) return null;
    throw error;
  }
}

/** What a selection set selects by itself: fields by response key, inline fragments taken apart, and spread fragments. */
interface Selected {
  readonly fields: ReadonlyMap<string, readonly FieldNode[]>;
  readonly spreads: readonly string[];
}

/** Comparisons validation makes of fields that must be mergeable, a lookup a fifth of one; counting ends at `most`. */
export function countComparisons(document: DocumentNode, most: number): number {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const node of document.definitions) {
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node);
  }
  const known = new Map<SelectionSetNode, Selected>();
  const compared = new Set<string>();
  const withFragment = new Map<Selected, Set<string>>();
  const mostLookups = most * LOOKUPS_OF_COMPARISON;
  // Whole numbers: of fifths the sum would drift.
  let lookups = 0;

  const selectedBy = (set: SelectionSetNode): Selected => {
    const selected = known.get(set) ?? readSelected(set);
    known.set(set, selected);
    return selected;
  };
  const fragmentNamed = (name: string): Selected | null => {
    const fragment = fragments.get(name);
    return fragment === undefined ? null : selectedBy(fragment.selectionSet);
  };
  const compareFields = (one: FieldNode, other: FieldNode): void => {
    lookups += LOOKUPS_OF_COMPARISON;
    if (lookups >= mostLookups || one.selectionSet === undefined || other.selectionSet === undefined) return;
    compareSets(selectedBy(one.selectionSet), selectedBy(other.selectionSet));
  };
  const compareKeys = (one: Selected, other: Selected): void => {
    lookups += one.fields.size;
    for (const [key, fields] of one.fields) {
      for (const field of fields)
        for (const match of other.fields.get(key) ?? []) {
          if (lookups >= mostLookups) return;
          compareFields(field, match);
        }
    }
  };
  const compareWithFragment = (set: Selected, name: string): void => {
    lookups += 1;
    const seen = withFragment.get(set) ?? new Set<string>();
    withFragment.set(set, seen);
    const fragment = fragmentNamed(name);
    if (seen.has(name) || fragment === null || lookups >= mostLookups) return;
    seen.add(name);
    compareKeys(set, fragment);
    for (const spread of fragment.spreads) compareWithFragment(set, spread);
  };
  const compareFragments = (one: string, other: string): void => {
    lookups += 1;
    const key = one < other ? `${one} ${other}` : `${other} ${one}`;
    if (one === other || compared.has(key) || lookups >= mostLookups) return;
    compared.add(key);
    const [first, second] = [fragmentNamed(one), fragmentNamed(other)];
    if (first === null || second === null) return;
    lookups += LOOKUPS_OF_COMPARISON;
    compareKeys(first, second);
    for (const spread of second.spreads) compareFragments(one, spread);
    for (const spread of first.spreads) compareFragments(spread, other);
  };
  const compareSets = (one: Selected, other: Selected): void => {
    compareKeys(one, other);
    for (const spread of other.spreads) compareWithFragment(one, spread);
    for (const spread of one.spreads) compareWithFragment(other, spread);
    for (const first of one.spreads) for (const second of other.spreads) compareFragments(first, second);
  };
  const compareWithin = (set: SelectionSetNode): void => {
    const selected = selectedBy(set);
    for (const fields of selected.fields.values())
      for (const [index, field] of fields.entries()) {
        if (lookups >= mostLookups) return;
        for (const other of fields.slice(index + 1)) compareFields(field, other);
      }
    for (const [index, spread] of selected.spreads.entries()) {
      compareWithFragment(selected, spread);
      for (const other of selected.spreads.slice(index + 1)) compareFragments(spread, other);
    }
  };
  visit(document, { SelectionSet: (set) => (lookups < mostLookups ? compareWithin(set) : false) });
  return Math.min(lookups / LOOKUPS_OF_COMPARISON, most);
}

function readSelected(set: SelectionSetNode): Selected {
  const fields = new Map<string, FieldNode[]>();
  const spreads = new Set<string>();
  const read = ({ selections }: SelectionSetNode): void => {
    for (const node of selections) {
      if (node.kind === Kind.INLINE_FRAGMENT) read(node.selectionSet);
      else if (node.kind === Kind.FRAGMENT_SPREAD) spreads.add(node.name.value);
      else {
        const key = node.alias?.value ?? node.name.value;
        const same = fields.get(key);
        if (same === undefined) fields.set(key, [node]);
        else same.push(node);
      }
    }
  };
  read(set);
  return { fields, spreads: [...spreads] };
}
