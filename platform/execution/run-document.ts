import {
  assertValidSchema,
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  type GraphQLTypeResolver,
  getVariableValues,
  OperationTypeNode,
} from 'graphql';

import { prepareDocument, type PreparedDocument, type PreparedOperation, type Variables } from './prepared-document.ts';
import { createVariantStore } from './prepared-variants.ts';
import { resolveFields, resolveFieldsInTurn } from './resolve-fields.ts';
import { createFieldErrors, type Run } from './run.ts';

export interface DocumentRun {
  /** Validated, as a query plan's documents are. */
  readonly document: DocumentNode;
  readonly operationName?: string | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly context?: unknown;
  readonly rootValue?: unknown;
}

export interface DocumentAnswer {
  /** Null as well where nothing was executed, because of its variables or of an operation that is not there. */
  readonly data: Record<string, unknown> | null;
  readonly errors: readonly GraphQLError[];
}

/** Runs one document. Never rejects for what resolvers do. @throws {Error} when the schema is not valid */
export type RunDocument = (run: DocumentRun) => Promise<DocumentAnswer>;

const MAX_VARIABLE_ERRORS = 50;
/** An operation without a name. */
const NAMELESS = '';

/**
 * GraphQL's own execution of documents over one schema, with its results and errors, for documents that come again and
 * again: which fields are read on which type, how values are completed and what arguments say is worked out once, not for
 * each row. A test holds it against graphql's `execute`. What documents were prepared to is kept within a bound for all of
 * them, and no longer than the document.
 */
export function createDocumentRunner(
  schema: GraphQLSchema,
  { typeResolver }: { readonly typeResolver: GraphQLTypeResolver<unknown, unknown> },
): RunDocument {
  const preparing = { schema, createVariants: createVariantStore() };
  const documents = new WeakMap<DocumentNode, Map<string, PreparedDocument | GraphQLError>>();
  const prepare = (document: DocumentNode, operationName: string | undefined): PreparedDocument | GraphQLError => {
    const names = documents.get(document) ?? new Map<string, PreparedDocument | GraphQLError>();
    documents.set(document, names);
    const known = names.get(operationName ?? NAMELESS) ?? prepareDocument(preparing, document, operationName);
    // Names that are not there are the callers' words.
    if (!(known instanceof GraphQLError)) names.set(operationName ?? NAMELESS, known);
    return known;
  };
  return async ({ document, operationName, variables: given, context, rootValue }) => {
    assertValidSchema(schema);
    const known = prepare(document, operationName);
    if (known instanceof GraphQLError) return { data: null, errors: [known] };
    const { variableDefinitions = [] } = known.operation;
    const coerced = getVariableValues(schema, variableDefinitions, given, { maxErrors: MAX_VARIABLE_ERRORS });
    if (coerced.errors !== undefined) return { data: null, errors: coerced.errors };
    const variables: Variables = coerced.coerced;
    const errors = createFieldErrors();
    const prepared = known.prepared(variables);
    const run = { ...prepared, schema, variables, context, rootValue, typeResolver, errors, argumentValues: new Map() };
    try {
      return { data: await rootRow(run, prepared), errors: errors.list };
    } catch (error) {
      // Something at the root must not be null: an error with its place.
      errors.add(error as GraphQLError, undefined);
      return { data: null, errors: errors.list };
    }
  };
}

async function rootRow(run: Run, { operation, fieldsOf }: PreparedOperation): Promise<Record<string, unknown>> {
  const rootType = run.schema.getRootType(operation.operation);
  if (rootType === undefined || rootType === null) {
    const message = `Schema is not configured to execute ${operation.operation} operation.`;
    throw new GraphQLError(message, { nodes: operation });
  }
  const fields = fieldsOf(rootType, run.variables);
  return operation.operation === OperationTypeNode.MUTATION
    ? await resolveFieldsInTurn(run, fields, run.rootValue)
    : await resolveFields(run, fields, run.rootValue, undefined);
}
