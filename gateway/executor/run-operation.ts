import { getVariableValues, type GraphQLError } from 'graphql';

import type { CompiledOperation } from './compile-operation.ts';
import type { LoadedGraph } from './loaded-graph.ts';
import { createOperationReport, findingErrors } from './operation-report.ts';
import type { LocatedError } from './plan/report.ts';
import { createRow, type Row } from './plan/row.ts';
import type { PlanRun } from './plan/run.ts';
import type { RequestNotices } from './request-notices.ts';
import { type Completion, completeRow } from './shape/complete.ts';

/** As many as graphql itself tells; each finding of a long list would be told otherwise. */
const MAX_VARIABLE_ERRORS = 50;

export interface OperationRun {
  readonly graph: Pick<LoadedGraph, 'apiSchema' | 'owners'>;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly fetch: PlanRun['fetch'];
  readonly notices: Pick<RequestNotices, 'wantsRefusalPaths' | 'refuse' | 'degrade'>;
}

export type OperationAnswer =
  | { readonly kind: 'answered'; readonly data: Row | null; readonly errors: readonly LocatedError[] }
  /** Variables that do not fit: nothing was executed. */
  | { readonly kind: 'refused'; readonly errors: readonly GraphQLError[] };

/** Runs a compiled operation for one caller: fetches by its plan, shapes what came by its document. Never rejects for what subgraphs do. */
export async function runOperation(operation: CompiledOperation, run: OperationRun): Promise<OperationAnswer> {
  const values = getVariableValues(run.graph.apiSchema, operation.variableDefinitions, run.variables, {
    maxErrors: MAX_VARIABLE_ERRORS,
  });
  if (values.errors !== undefined) return { kind: 'refused', errors: values.errors };
  const { report, ...told } = createOperationReport(operation.paths, run.notices);
  const root = createRow();
  if (operation.plan !== null) {
    const { variables, fetch } = run;
    await operation.plan({ variables, coerced: values.coerced, fetch, batches: new Map(), report }, [
      { row: root, path: null },
    ]);
  }
  if (operation.introspect !== null) Object.assign(root, operation.introspect(run.variables));
  const completion: Completion = { variables: values.coerced, path: [], findings: [], coordinate: '' };
  const data = completeRow(operation.shape.fieldsOf(operation.rootType), root, completion);
  return {
    kind: 'answered',
    data,
    errors: [...told.errors, ...findingErrors(completion.findings, told, run.graph.owners)],
  };
}
