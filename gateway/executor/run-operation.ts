import { getVariableValues, type GraphQLError } from 'graphql';

import type { CompiledOperation } from './compile-operation.ts';
import type { LoadedGraph } from './loaded-graph.ts';
import { createOperationReport, findingErrors } from './operation-report.ts';
import { createAdoptionRoom } from './plan/adopt.ts';
import type { LocatedError } from './plan/report.ts';
import { createRow, type Row } from './plan/row.ts';
import type { PlanRun } from './plan/run.ts';
import type { RequestNotices } from './request-notices.ts';
import { AnswerTooLarge, type Completion, completeRow, createCompletion } from './shape/complete.ts';

/** Each finding of a long list would be told otherwise, and each costs a count of the document's lines. */
const MAX_VARIABLE_ERRORS = 25;

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
    hideSuggestions: true,
  });
  if (values.errors !== undefined) return { kind: 'refused', errors: values.errors };
  const { report, ...told } = createOperationReport(operation.paths, run.notices);
  const root = createRow();
  if (operation.plan !== null) {
    const { variables, fetch } = run;
    const room = createAdoptionRoom();
    await operation.plan({ variables, coerced: values.coerced, fetch, batches: new Map(), report, room }, [
      { row: root, path: null },
    ]);
  }
  if (operation.introspect !== null) Object.assign(root, operation.introspect(run.variables));
  const completion = createCompletion(values.coerced);
  const data = completeOrNothing(operation, root, completion);
  if (data === TOO_LARGE) return { kind: 'answered', data: null, errors: [TOO_LARGE_ERROR] };
  return {
    kind: 'answered',
    data,
    errors: [...told.errors, ...findingErrors(completion.findings, told, run.graph.owners)],
  };
}

const TOO_LARGE = Symbol('too large');
const TOO_LARGE_ERROR: LocatedError = {
  message: 'The answer would have too many values; ask for fewer rows or fields.',
  path: undefined,
  extensions: { code: 'LIMIT_COST' },
};

function completeOrNothing(
  { shape, rootType }: CompiledOperation,
  root: Row,
  completion: Completion,
): Row | null | typeof TOO_LARGE {
  try {
    return completeRow(shape.fieldsOf(rootType), root, completion);
  } catch (error) {
    if (error instanceof AnswerTooLarge) return TOO_LARGE;
    throw error;
  }
}
