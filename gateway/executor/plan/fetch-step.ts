import type { FetchNode } from '@apollo/query-planner';
import { GraphQLError, OperationTypeNode, parse } from 'graphql';

import { readFetchSelection } from './answer-fields.ts';
import { createEntityBatch, type EntityBatch, type EntitySlot } from './entity-batch.ts';
import { nameNarrowedRows } from './narrowed-fields.ts';
import type { Target } from './paths.ts';
import { compileEntityGroups, compileRepresentation } from './representation.ts';
import { addRewrittenFields, applyRewrites } from './rewrites.ts';
import type { Row } from './row.ts';
import { BROKEN, readEntityAnswers, readRootAnswer, type RowAnswer } from './row-answer.ts';
import type { PlannedFetch, PlanPlace, PlanRun, PlanStep } from './run.ts';
import { settle, type SettledFetch, type Settling } from './settle.ts';
import type { TypeRelations } from './type-relations.ts';

/** Prepares one fetch of a plan. @throws {Error} when the plan needs what this executor does not do (@fromContext) */
export function compileFetch(node: FetchNode, types: TypeRelations, place: PlanPlace): PlanStep {
  if ((node.contextRewrites?.length ?? 0) > 0) throw new Error('plans with @fromContext are not executed here');
  if (node.requires !== undefined && node.variableUsages?.includes('representations') === true)
    throw new GraphQLError('A variable here cannot be named representations.', {
      extensions: { code: 'BAD_USER_INPUT' },
    });
  const document = node.operationDocumentNode ?? parse(node.operation, { noLocation: true });
  const selection = readFetchSelection(document);
  const naming = nameNarrowedRows(document, { subgraph: node.serviceName, types });
  const rewrites = [...naming, ...(node.outputRewrites ?? [])];
  addRewrittenFields(selection.fields, rewrites);
  const { serviceName: subgraph, operation: text, operationName } = node;
  const changes = node.requires === undefined && node.operationKind === OperationTypeNode.MUTATION;
  const fetch: CompiledFetch = {
    node,
    planned: { subgraph, document, text, operationName, place, changes },
    settled: { subgraph, selection, types },
    reading: { rewrites, types },
  };
  return node.requires === undefined ? rootStep(fetch) : entityStep(fetch, node.requires);
}

interface CompiledFetch {
  readonly node: FetchNode;
  readonly planned: Omit<PlannedFetch, 'variables'>;
  readonly settled: SettledFetch;
  readonly reading: Parameters<typeof readRootAnswer>[1];
}

function rootStep(fetch: CompiledFetch): PlanStep {
  return async (run, targets) => {
    if (targets.length === 0) return;
    if (fetch.planned.changes) run.batches.clear();
    const read = async (): Promise<RowAnswer> => {
      const outcome = await run.fetch({ ...fetch.planned, variables: pickVariables(fetch.node, run) });
      return readRootAnswer(outcome, fetch.reading);
    };
    const answer = await read().catch(() => BROKEN);
    settleSafely(fetch, answer, targets, settlingOf(fetch, run));
  };
}

function entityStep(fetch: CompiledFetch, requires: NonNullable<FetchNode['requires']>): PlanStep {
  const { node, reading } = fetch;
  const represent = compileRepresentation(requires, reading.types);
  const inputRewrites = node.inputRewrites ?? [];
  const createGroups = inputRewrites.length === 0 ? compileEntityGroups(requires, reading.types) : null;
  // The operation's name differs for each node of a plan; what is asked begins with its variables.
  const asked = `${node.serviceName} ${node.operation.slice(node.operation.indexOf('('))}`;

  const collect = (targets: readonly Target[], batch: EntityBatch): readonly AskedRow[] => {
    const rows = new Map<string, AskedRow>();
    const groups = createGroups?.<AskedRow>();
    const ask = (row: Row): AskedRow | null => {
      const representation = represent(row);
      if (representation === null) return null;
      applyRewrites(inputRewrites, representation, reading.types);
      const key = JSON.stringify(representation);
      const known = rows.get(key) ?? { slot: batch.load(key, representation), targets: [] };
      rows.set(key, known);
      return known;
    };
    for (const target of targets) {
      const grouped = groups?.groupOf(target.row, () => ask(target.row));
      const group = grouped === undefined ? ask(target.row) : grouped;
      group?.targets.push(target);
    }
    return [...rows.values()];
  };
  return async (run, targets) => {
    let rows: readonly AskedRow[];
    try {
      rows = collect(targets, batchOf(fetch, asked, run));
    } catch {
      // A key no text can hold.
      settleSafely(fetch, BROKEN, targets, settlingOf(fetch, run));
      return;
    }
    const answered = new Map<EntitySlot['answers'], readonly RowAnswer[]>();
    for (const { slot } of rows) {
      // oxlint-disable-next-line no-await-in-loop -- nearly always one call for all rows, and all were begun
      if (!answered.has(slot.answers)) answered.set(slot.answers, await slot.answers);
    }
    const settling = settlingOf(fetch, run);
    for (const { slot, targets: places } of rows)
      settleSafely(fetch, answered.get(slot.answers)?.[slot.index] ?? BROKEN, places, settling);
  };
}

interface AskedRow {
  readonly slot: EntitySlot;
  readonly targets: Target[];
}

function batchOf({ node, planned, reading }: CompiledFetch, asked: string, run: PlanRun): EntityBatch {
  const variables = pickVariables(node, run);
  const key = (node.variableUsages ?? []).length === 0 ? asked : `${asked} ${JSON.stringify(variables)}`;
  const known = run.batches.get(key);
  if (known !== undefined) return known;
  const batch = createEntityBatch(async (representations) => {
    const outcome = await run.fetch({ ...planned, variables: { ...variables, representations } });
    return readEntityAnswers(outcome, representations, reading);
  });
  run.batches.set(key, batch);
  return batch;
}

const NO_VARIABLES: Readonly<Record<string, unknown>> = {};

function pickVariables({ variableUsages = [] }: FetchNode, { variables }: PlanRun): Readonly<Record<string, unknown>> {
  if (variableUsages.length === 0) return NO_VARIABLES;
  const used: [string, unknown][] = [];
  for (const name of variableUsages) {
    if (Object.hasOwn(variables, name) && variables[name] !== undefined) used.push([name, variables[name]]);
  }
  return Object.fromEntries(used);
}

function settlingOf({ settled }: CompiledFetch, run: PlanRun): Settling {
  return { run, types: settled.types, room: run.room, mayTell: run.report.tellingOf(settled.subgraph) };
}

function settleSafely(
  { settled }: CompiledFetch,
  answer: RowAnswer,
  targets: readonly Target[],
  settling: Settling,
): void {
  try {
    settle(settled, answer, targets, settling);
  } catch {
    settle(settled, BROKEN, targets, settling);
  }
}
