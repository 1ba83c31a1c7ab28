import { type DocumentNode, parse } from 'graphql';

import { findOpenings } from '#gateway/breaking-changes.ts';
import type { SubgraphConfig } from '#gateway/config-schema.ts';
import { readResolvedFields, type ResolvedField } from '#gateway/field-resolvers.ts';
import { readFieldsTypes } from './fields-types.ts';
import { readHandedOver } from './handed-over.ts';
import { assertSupported } from '#gateway/supported-supergraph.ts';
import { type Policy, readPolicy } from '#gateway/policy.ts';
import { graphNames } from '#gateway/supergraph.ts';
import { MortarError } from '#platform/errors.ts';

export interface ServableOptions {
  /** What the process knows of subgraphs; one that is not listed is told nothing of the caller. */
  readonly subgraphs: readonly Pick<SubgraphConfig, 'name' | 'trust'>[];
  /** Supergraphs whose personal fields must stay as closed as they are: the product's own, and the one served now. */
  readonly references: readonly string[];
}

/** Each finding is a line of the log. */
const MOST_FINDINGS = 20;

/**
 * Refuses what is no supergraph we can serve, and one that would show what was closed: rules of a reference that were loosened, personal fields answered
 * by a subgraph that is told nothing of the caller and so cannot ask for consent, and fields of people that say nothing of
 * themselves. What a supergraph does not have it cannot show.
 * @throws {MortarError} CONFIGURATION_INVALID with every finding, at most 20
 */
export function assertServable(supergraphSdl: string, { subgraphs, references }: ServableOptions): void {
  assertSupported(supergraphSdl);
  const graph = readGraph(supergraphSdl, subgraphs);
  const findings = [
    ...new Set(
      references.flatMap((reference) => findOpenings(reference, supergraphSdl)).filter(concernsGuarded(graph)),
    ),
    ...unguardedFields(graph),
  ];
  if (findings.length === 0) return;
  const more = findings.length > MOST_FINDINGS ? [`and ${findings.length - MOST_FINDINGS} more`] : [];
  throw new MortarError('CONFIGURATION_INVALID', {
    message: ['the supergraph would show what is closed:', ...findings.slice(0, MOST_FINDINGS), ...more].join('\n  '),
  });
}

interface GuardedGraph {
  readonly document: DocumentNode;
  readonly policy: Policy;
  readonly resolved: readonly ResolvedField[];
  /** Null: the subgraph (by its name in join__Graph) knows the caller, and asks for consent itself. */
  readonly strangerIn: (graph: string) => string | null;
}

function readGraph(supergraphSdl: string, subgraphs: ServableOptions['subgraphs']): GuardedGraph {
  const document = parse(supergraphSdl, { noLocation: true });
  const names = graphNames(supergraphSdl);
  const guards = new Set(subgraphs.filter(({ trust }) => trust !== 'none').map(({ name }) => name));
  return {
    document,
    policy: readPolicy(supergraphSdl),
    resolved: readResolvedFields(document),
    strangerIn: (graph) => {
      const name = names.get(graph) ?? graph;
      return guards.has(name) ? null : `the subgraph ${name} is told nothing of the caller (trust)`;
    },
  };
}

/** A type of others may have a name of ours: what only strangers answer is none of our data. */
function concernsGuarded({ resolved, strangerIn }: GuardedGraph): (opening: string) => boolean {
  const ours = resolved.filter(({ graphs }) => graphs.some((graph) => strangerIn(graph) === null));
  const places = new Set(ours.flatMap(({ coordinate, typeName }) => [coordinate, typeName]));
  return (opening) => places.has(opening.split(' ', 1)[0] ?? '');
}

function unguardedFields({ document, policy, resolved, strangerIn }: GuardedGraph): readonly string[] {
  const { fields, peopleTypes } = policy;
  const types = readFieldsTypes(document);
  const open = readPublicFields(document);
  // A subgraph may know an interface as an object (@interfaceObject): its fields are those of each type.
  const isAboutPeople = (typeName: string): boolean => types.named(typeName).some((name) => peopleTypes.has(name));
  const isPersonal = (coordinate: string): boolean => {
    const [typeName = '', field = ''] = coordinate.split('.');
    return types.named(typeName).some((name) => (fields.get(`${name}.${field}`)?.personalData ?? null) !== null);
  };
  const answered = resolved.flatMap(({ coordinate, typeName, graphs }) => {
    const isOpen = !isAboutPeople(typeName) || open.has(coordinate);
    if (isOpen && !isPersonal(coordinate)) return [];
    const strangers = graphs.map(strangerIn).filter((stranger) => stranger !== null);
    return strangers.map((stranger) =>
      isPersonal(coordinate)
        ? `${coordinate} is personal, and ${stranger}.`
        : `${coordinate} is about a person: it must be @publicData, since ${stranger}.`,
    );
  });
  const handedOver = readHandedOver(document).flatMap(({ coordinate, graph, by }) => {
    const stranger = strangerIn(graph);
    if (!isPersonal(coordinate) || stranger === null) return [];
    const what = by === 'provides' ? 'answered by @provides' : 'handed over by @key or @requires';
    return [`${coordinate} is personal and would be ${what}; ${stranger}.`];
  });
  return [...answered, ...handedOver];
}

/** Coordinates that say of themselves that anybody may read them. */
function readPublicFields(document: DocumentNode): ReadonlySet<string> {
  const coordinates = readFieldsTypes(document).all.flatMap((type) =>
    (type.fields ?? [])
      .filter(({ directives }) => directives?.some(({ name }) => name.value === 'publicData'))
      .map((field) => `${type.name.value}.${field.name.value}`),
  );
  return new Set(coordinates);
}
