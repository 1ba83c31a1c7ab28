import {
  type DocumentNode,
  getOperationAST,
  GraphQLError,
  type GraphQLSchema,
  type OperationDefinitionNode,
  parse,
  validate,
} from 'graphql';
import { LRUCache } from 'lru-cache';

import { requestError } from './request-error.ts';
import { type OperationCoordinates, readCoordinates } from '#gateway/auth/document-coordinates.ts';
import { documentBytes } from '#gateway/executor/document-store.ts';

/** A validated document and the operation of it that is asked for. */
export interface AskedOperation {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly kind: 'query' | 'mutation';
  /** Only `_service`, `__schema`, `__type` and `__typename`: it tells nothing but the schema. */
  readonly schemaOnly: boolean;
}

/** Documents of a gateway are made by its planner; those of end users meet limits of their own before they are parsed. */
const MAX_TOKENS = 100_000;
const CACHE_BYTES = 24 * 2 ** 20;

/**
 * Parses and validates each text once; bounded by the memory documents take, the least recently used goes. Without
 * locations, which no answer of a subgraph tells: graphql would count lines for each error of each row. The returned
 * function throws {GraphQLError} GRAPHQL_PARSE_FAILED, GRAPHQL_VALIDATION_FAILED, OPERATION_RESOLUTION_FAILURE.
 */
export function createSubgraphDocuments(schema: GraphQLSchema) {
  const cache = new LRUCache<string, AskedOperation>({
    maxSize: CACHE_BYTES,
    sizeCalculation: ({ document }, key) => key.length + documentBytes(document),
  });
  const read = (text: string, operationName: string | undefined): AskedOperation => {
    const document = parseText(text);
    const [finding] = validate(schema, document, undefined, { maxErrors: 1 });
    if (finding !== undefined) throw requestError('GRAPHQL_VALIDATION_FAILED', finding.message);
    const operation = getOperationAST(document, operationName) ?? null;
    if (operation === null) throw requestError('OPERATION_RESOLUTION_FAILURE');
    const kind: string = operation.operation;
    if (kind !== 'query' && kind !== 'mutation')
      throw requestError('OPERATION_RESOLUTION_FAILURE', 'Subscriptions are not answered here.');
    return { document, operation, kind, schemaOnly: isSchemaOnly(readCoordinates(schema, document, operation)) };
  };
  return (text: string, operationName: string | undefined): AskedOperation => {
    const key = `${operationName ?? ''} ${text}`;
    const known = cache.get(key);
    if (known !== undefined) return known;
    const asked = read(text, operationName);
    cache.set(key, asked);
    return asked;
  };
}

function parseText(text: string): DocumentNode {
  try {
    return parse(text, { maxTokens: MAX_TOKENS, noLocation: true });
  } catch (error) {
    throw requestError('GRAPHQL_PARSE_FAILED', error instanceof GraphQLError ? error.message : undefined);
  }
}

const SCHEMA_FIELDS: ReadonlySet<string> = new Set(['Query._service', '_Service.sdl']);

function isSchemaOnly({ coordinates }: OperationCoordinates): boolean {
  return [...coordinates].every((coordinate) => SCHEMA_FIELDS.has(coordinate));
}
