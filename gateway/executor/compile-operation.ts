import type { QueryPlan } from '@apollo/query-planner';
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
  readonly types: TypeRelations;
}

/** The operation that is asked, of a validated document. @throws {GraphQLError} OPERATION_RESOLUTION_FAILURE */
export function findOperation(document: DocumentNode, operationName: string | undefined): OperationDefinitionNode {
  const operation = getOperationAST(document, operationName);
  if (operation === null || operation === undefined) throw requestError('OPERATION_RESOLUTION_FAILURE');
  return operation;
}

/**
 * Prepares a planned operation: some milliseconds, so callers keep what it returns.
 * @throws {GraphQLError} OPERATION_RESOLUTION_FAILURE
 */
export function compileOperation(
  { apiSchema, types }: OperationCompiler,
  { document, operation }: { readonly document: DocumentNode; readonly operation: OperationDefinitionNode },
  plan: QueryPlan,
): CompiledOperation {
  const root = apiSchema.getRootType(operation.operation);
  if (root === null || root === undefined) throw requestError('OPERATION_RESOLUTION_FAILURE');
  const fragments = fragmentsOf(document);
  const paths = createClientPaths(operation.selectionSet, fragments);
  return {
    variableDefinitions: operation.variableDefinitions ?? [],
    plan: compilePlan(plan, { types, nameOf: paths.named }),
    introspect: compileIntrospection(apiSchema, document, operation),
    shape: createShape(createShapeContext(apiSchema, fragments), [{ set: operation.selectionSet, guard: ALWAYS }]),
    rootType: root.name,
    paths,
    // The shape is about as large as the document.
    bytes: OWN_BYTES + 2 * documentBytes(document) + BYTES_PER_CHARACTER * fetchedCharacters(plan.node),
  };
}
