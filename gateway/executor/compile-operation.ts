import { operationFromDocument, type Schema } from '@apollo/federation-internals';
import type { QueryPlanner } from '@apollo/query-planner';
import {
  type DocumentNode,
  getOperationAST,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type VariableDefinitionNode,
} from 'graphql';

import { compileIntrospection, type Introspect } from './introspection.ts';
import { documentBytes } from './document-store.ts';
import { compilePlan, fetchedCharacters } from './plan/compile-plan.ts';
import { ALWAYS } from './plan/guards.ts';
import type { PlanStep } from './plan/run.ts';
import type { TypeRelations } from './plan/type-relations.ts';
import type { Shape } from './shape/complete.ts';
import { createShape, createShapeContext } from './shape/shape.ts';
import { type ClientPaths, createClientPaths } from './shape/visible-keys.ts';
import { fragmentsOf } from '#gateway/auth/document-coordinates.ts';
import { requestError } from '#gateway/http/request-error.ts';

/** A client's operation, ready to run for any caller and any variables. */
export interface CompiledOperation {
  readonly variableDefinitions: readonly VariableDefinitionNode[];
  /** Null: nothing to fetch. */
  readonly plan: PlanStep | null;
  readonly introspect: Introspect | null;
  readonly shape: Shape;
  readonly rootType: string;
  readonly paths: ClientPaths;
  /** What it keeps in memory, about. */
  readonly bytes: number;
}

/** A character of a fetch's text stands for this much of its parsed document and compiled selection. */
const BYTES_PER_CHARACTER = 80;
const OWN_BYTES = 4_000;

/** What operations are compiled against: one supergraph. */
export interface OperationCompiler {
  readonly apiSchema: GraphQLSchema;
  /** The API schema in the planner's own terms. */
  readonly plannedSchema: Schema;
  readonly planner: QueryPlanner;
  readonly types: TypeRelations;
}

/**
 * Plans and prepares a validated operation: some milliseconds, so callers keep what it returns.
 * @throws {GraphQLError} OPERATION_RESOLUTION_FAILURE; LIMIT_COST when the planner gives up on a document
 */
export function compileOperation(
  compiler: OperationCompiler,
  document: DocumentNode,
  operationName: string | undefined,
): CompiledOperation {
  const { apiSchema, types } = compiler;
  const operation = getOperationAST(document, operationName);
  const root = operation === null || operation === undefined ? null : apiSchema.getRootType(operation.operation);
  if (operation === null || operation === undefined || root === null || root === undefined)
    throw requestError('OPERATION_RESOLUTION_FAILURE');
  const fragments = fragmentsOf(document);
  const plan = planOf(compiler, document, operation);
  return {
    variableDefinitions: operation.variableDefinitions ?? [],
    plan: compilePlan(plan, types),
    introspect: compileIntrospection(apiSchema, document, operation),
    shape: createShape(createShapeContext(apiSchema, fragments), [{ set: operation.selectionSet, guard: ALWAYS }]),
    rootType: root.name,
    paths: createClientPaths(operation.selectionSet, fragments),
    // The shape is about as large as the document.
    bytes: OWN_BYTES + 2 * documentBytes(document) + BYTES_PER_CHARACTER * fetchedCharacters(plan.node),
  };
}

function planOf(
  { plannedSchema, planner }: OperationCompiler,
  document: DocumentNode,
  operation: OperationDefinitionNode,
) {
  const operationName = operation.name?.value;
  try {
    const planned = operationFromDocument(plannedSchema, document, {
      ...(operationName === undefined ? {} : { operationName }),
      // Apollo Server validates each document once.
      validate: false,
    });
    return planner.buildQueryPlan(planned);
  } catch (error) {
    // The planner's own limits are plain errors; see validateRecursiveSelections and checkNonLocalSelectionsLimit there.
    if (error instanceof Error && /^(Exceeded maximum|Number of .* exceeds)/.test(error.message))
      throw requestError('LIMIT_COST', 'The document selects too much to be planned.');
    throw error;
  }
}
