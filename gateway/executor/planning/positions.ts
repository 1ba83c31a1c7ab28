import { type GraphQLNamedType, isAbstractType, isInterfaceType, isObjectType } from 'graphql';
import { LRUCache } from 'lru-cache';

import type { FieldGraphs, InterfaceStep } from './field-graphs.ts';

/** What of a place in an operation decides how its fields are asked. */
interface Place {
  readonly type: GraphQLNamedType;
  /** Object types a value there may be. */
  readonly possible: readonly string[];
  /** The abstract type is taken apart: each of `possible` has paths of its own. */
  readonly isApart: boolean;
  /** Names of join__Graph the value may come from; none at the root. */
  readonly graphs: readonly string[];
}

/** How a place is reached. */
interface Ways {
  /** Paths that are followed together: one for each type that an abstract type was taken apart into, at each level. */
  readonly paths: number;
  /** Ways to get there, each of them of so many paths. */
  readonly options: number;
}

/** A place in an operation, as the planner has it. */
export interface Position {
  readonly place: Place;
  /** Ways the planner compares. Of an interface that is asked itself for an object: not those of its types. */
  readonly compared: Ways;
  /** These too: it lists them, and soon drops them. */
  readonly listed: Ways;
}

/** A field that was followed. */
export interface Reached {
  readonly position: Position;
  /** What it costs, in ways compared. */
  readonly ways: number;
  /** It is asked of other subgraphs than the value comes from: what it costs to go there, fields it needs first included. */
  readonly moved: number;
  /** What it costs, once for all fields of the value, to find a way there. */
  readonly searched: number;
}

/** Ways that are listed only to be dropped, to one that is compared: measured for interfaces of 2 to 10 types. */
const LISTED_TO_COMPARED = 100;
/** As much, where nothing is looked for below. */
const ENDED_TO_COMPARED = 500;

/** A field of another subgraph than the value's, measured as ways compared. */
const MOVED_FIELD = 0.3;
/** Each field it needs first, and each that this one needs: the planner goes back for all before it, at each. */
const NEEDED_FIELD = 1;
/**
 * Where a type has keys that not all of its subgraphs know, the planner looks for ways to each key by ways to the others:
 * measured for keys in a chain of subgraphs and for keys that only one of them knows, four times as much for each.
 */
const BASE_OF_KEYS = 4;
const FREE_KEYS = 2;

/** How an operation leads from one position to the next. */
export interface Positions {
  readonly root: (type: GraphQLNamedType) => Position;
  readonly follow: (at: Position, field: FollowedField) => Reached;
  /** The position within a fragment. */
  readonly narrow: (at: Position, type: GraphQLNamedType) => Position;
}

export interface FollowedField {
  readonly name: string;
  readonly type: GraphQLNamedType;
  /** It has no selection. */
  readonly isLeaf: boolean;
}

/** What a field costs at a place, whatever the way there. */
interface Followed {
  readonly place: Place;
  readonly step: InterfaceStep;
  readonly isWhole: boolean;
  /** See FieldGraphs. */
  readonly isSettled: boolean;
  /** Each subgraph the value may come from answers the field. */
  readonly isAtHand: boolean;
  /** See Reached. */
  readonly moved: number;
  readonly searched: number;
  /** Subgraphs that answer it of the type itself, and the most of any possible one. */
  readonly whole: number;
  readonly most: number;
  /** Each way of one possible type with each way of the others. */
  readonly combined: number;
}

/** Fields and fragments; to look at one takes 0.1 ms for an interface of a hundred types, and a document may hold a thousand. */
const REMEMBERED = 2_000;

/** Positions over one supergraph. */
export function createPositions(fieldGraphs: FieldGraphs): Positions {
  const known = new LRUCache<string, Followed>({ max: REMEMBERED });
  const narrowed = new LRUCache<string, Place>({ max: REMEMBERED });
  const keys = new WeakMap<Place, string>();
  const keyOf = (place: Place): string => {
    const { type, possible, isApart, graphs } = place;
    const key = keys.get(place) ?? `${type.name} ${isApart} ${graphs.join()} ${possible.join()}`;
    keys.set(place, key);
    return key;
  };
  const lookAt = (place: Place, { name, type }: FollowedField): Followed => {
    const { possible, graphs } = place;
    const isWhole = isAbstractType(place.type) && !place.isApart;
    const asked = isWhole ? [place.type.name, ...possible] : possible;
    const choices = possible.map((one) => fieldGraphs.choicesOf(one, name));
    const whole = fieldGraphs.choicesOf(place.type.name, name);
    const isAtHand = possible.every((one) => fieldGraphs.isAnsweredBy(one, name, graphs));
    // At the root each subgraph may be asked.
    const moves = graphs.length > 0 && !isAtHand;
    const before = Math.max(0, ...possible.map((one) => fieldGraphs.requiredBefore(one, name)));
    const far = Math.max(0, ...possible.map(fieldGraphs.farKeys));
    const next = new Set(asked.flatMap((one) => fieldGraphs.graphsAfter(one, name, graphs)));
    return {
      place: { type, possible: fieldGraphs.possibleOf(type.name), isApart: false, graphs: [...next] },
      step: isWhole ? fieldGraphs.interfaceStep(place.type.name, name, { from: graphs, to: type.name }) : 'apart',
      isWhole,
      isSettled: fieldGraphs.isSettled(type.name),
      isAtHand,
      moved: moves ? MOVED_FIELD + NEEDED_FIELD * before * (before + 1) : 0,
      searched: moves && far > FREE_KEYS ? BASE_OF_KEYS ** (far - FREE_KEYS) : 0,
      whole,
      most: Math.max(whole, ...choices),
      combined: choices.reduce((product, count) => product * count, 1),
    };
  };
  const narrowTo = (place: Place, type: GraphQLNamedType): Place => {
    if (!place.isApart && isObjectType(place.type)) return place;
    const wanted = new Set(fieldGraphs.possibleOf(type.name));
    const isWhole =
      isObjectType(type) ||
      (isInterfaceType(type) && fieldGraphs.isCastWhole(place.type.name, type.name, place.graphs));
    return {
      ...place,
      type,
      possible: place.possible.filter((name) => wanted.has(name)),
      // Else taken apart into the types that both have.
      isApart: place.isApart || !isWhole,
    };
  };
  return {
    root: (type) => ({
      place: { type, possible: [type.name], isApart: false, graphs: [] },
      compared: { paths: 1, options: 1 },
      listed: { paths: 1, options: 1 },
    }),
    follow: (at, field) => {
      const key = `${field.name} ${keyOf(at.place)}`;
      const followed = known.get(key) ?? lookAt(at.place, field);
      known.set(key, followed);
      const { place, step, isSettled } = followed;
      const isToObject = isObjectType(field.type);
      const direct: Followed = { ...followed, step: step === 'both' && isToObject ? 'direct' : step };
      const compared = advance(at.compared, at.place, field, direct);
      const listed = advance(at.listed, at.place, field, followed);
      const share = isSettled ? ENDED_TO_COMPARED : LISTED_TO_COMPARED;
      return {
        // What is all where it is, is taken as a whole: the planner follows nothing in it.
        position: { place, compared, listed: isSettled ? compared : listed },
        ways: waysOf({ compared, listed }, share),
        moved: followed.moved,
        searched: followed.searched,
      };
    },
    narrow: (at, type) => {
      if (type === at.place.type) return at;
      const key = `${type.name} ${keyOf(at.place)}`;
      const place = narrowed.get(key) ?? narrowTo(at.place, type);
      narrowed.set(key, place);
      const types = Math.max(1, place.possible.length);
      const follow = (ways: Ways): Ways => {
        if (at.place.isApart) return { ...ways, paths: pathsOfOne(ways, at.place.possible) * types };
        return place.isApart ? { ...ways, paths: ways.paths * types } : ways;
      };
      return { place, compared: follow(at.compared), listed: follow(at.listed) };
    },
  };
}

/** How ways to a place go on with a field. */
function advance(ways: Ways, { possible }: Place, { isLeaf }: FollowedField, followed: Followed): Ways {
  const { paths, options } = ways;
  const { step, isWhole, isAtHand, whole, most, combined } = followed;
  // Where a leaf is at hand the planner looks no further, and combines nothing.
  if (isLeaf && (isAtHand || step !== 'apart')) return { paths, options: options * most };
  if (step === 'direct') return { paths, options: options * whole ** paths };
  if (!isWhole) return { paths, options: options * combined ** pathsOfOne(ways, possible) };
  const choices = step === 'both' ? combined + 1 : combined;
  return { paths: paths * Math.max(1, possible.length), options: options * choices ** paths };
}

/** What a position costs, in ways compared. */
export function waysOf(
  { compared, listed }: Pick<Position, 'compared' | 'listed'>,
  share = LISTED_TO_COMPARED,
): number {
  return Math.max(countOf(compared), countOf(listed) / share);
}

const countOf = ({ paths, options }: Ways): number => paths * options;

/** Paths of each type of a place that is taken apart. */
function pathsOfOne({ paths }: Ways, possible: readonly string[]): number {
  return Math.max(1, paths / Math.max(1, possible.length));
}
