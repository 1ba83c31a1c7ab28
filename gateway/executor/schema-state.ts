import {
  type DocumentNode,
  getNamedType,
  type GraphQLSchema,
  isInterfaceType,
  isObjectType,
  type OperationDefinitionNode,
} from 'graphql';
import { LRUCache } from 'lru-cache';

import { documentBytes } from './document-store.ts';
import { type OperationCoordinates, readCoordinates } from '#gateway/auth/document-coordinates.ts';
import { createPruner } from '#gateway/auth/static-authorization.ts';
import type { Policy } from '#gateway/policy.ts';

/** What is read from a document once, whoever sends it. */
export interface OperationFacts extends OperationCoordinates {
  /** Coordinates with a policy; few, so each request decides only these. */
  readonly ruled: readonly string[];
  readonly governed: boolean;
  /** A row about somebody is asked for, governed fields or not: even that it is found tells something of a person. */
  readonly aboutPeople: boolean;
}

export interface AdmittedDocument {
  readonly document: DocumentNode;
  readonly queryHash: string;
}

/** As many as the document store keeps: most lie in both, and are there but once. */
const ADMITTED_BYTES = 24 * 2 ** 20;

/** One loaded schema and what belongs to it; a new supergraph makes a new one. */
export interface SchemaState {
  readonly schema: GraphQLSchema;
  /** Documents that were validated against this schema and admitted before, by their text. Bounded by the memory they take. */
  readonly admitted: LRUCache<string, AdmittedDocument>;
  /** Operations within the limits whatever their variables are. */
  readonly withinLimits: WeakSet<OperationDefinitionNode>;
  readonly policy: Policy;
  readonly factsOf: (queryHash: string, document: DocumentNode, operation: OperationDefinitionNode) => OperationFacts;
  readonly prune: ReturnType<typeof createPruner>;
}

export function createSchemaState(schema: GraphQLSchema, policy: Policy): SchemaState {
  const cache = new LRUCache<string, OperationFacts>({ max: 2_000 });
  const factsOf: SchemaState['factsOf'] = (queryHash, document, operation) => {
    const key = `${queryHash} ${operation.name?.value ?? ''}`;
    const known = cache.get(key);
    if (known !== undefined) return known;
    const read = readCoordinates(schema, document, operation);
    const ruled = [...read.coordinates].filter((coordinate) => policy.fields.has(coordinate));
    const governed = ruled.some((coordinate) => (policy.fields.get(coordinate)?.personalData ?? null) !== null);
    const aboutPeople = [...read.coordinates].some((coordinate) => policy.peopleTypes.has(typeAt(schema, coordinate)));
    const facts = { ...read, ruled, governed, aboutPeople };
    cache.set(key, facts);
    return facts;
  };
  const admitted = new LRUCache<string, AdmittedDocument>({
    maxSize: ADMITTED_BYTES,
    sizeCalculation: ({ document }) => documentBytes(document),
  });
  return { schema, policy, admitted, withinLimits: new WeakSet(), factsOf, prune: createPruner(schema) };
}

/** The name of the type the field at `Type.field` answers; empty: no such field. */
function typeAt(schema: GraphQLSchema, coordinate: string): string {
  const [typeName = '', fieldName = ''] = coordinate.split('.');
  const type = schema.getType(typeName);
  const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[fieldName] : undefined;
  return getNamedType(field?.type)?.name ?? '';
}
