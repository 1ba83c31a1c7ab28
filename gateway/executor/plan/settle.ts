import { type Adopting, adopt } from './adopt.ts';
import type { FetchSelection } from './answer-fields.ts';
import { holds } from './guards.ts';
import { type Target, toPath } from './paths.ts';
import type { MayTell } from './report.ts';
import { BROKEN, type RowAnswer } from './row-answer.ts';
import { isRow, type Row } from './row.ts';
import type { PlanRun } from './run.ts';
import type { TypeRelations } from './type-relations.ts';

export interface SettledFetch {
  readonly subgraph: string;
  readonly selection: FetchSelection;
  readonly types: TypeRelations;
}

/** Where the answers of one fetch go. */
export interface Settling extends Adopting {
  readonly run: PlanRun;
  /** One for all rows of the fetch. */
  readonly mayTell: MayTell;
}

/**
 * Takes one row's answer over into every place that shows the row, and tells its facts at each of them. Places that the
 * operation has no room for are told as unanswered.
 */
export function settle(fetch: SettledFetch, answer: RowAnswer, targets: readonly Target[], settling: Settling): void {
  const { value, facts, failure } = answer;
  const silent = facts.errors.length + facts.refusals.length + facts.degraded.length === 0 && failure === null;
  const shownCount = isRow(value) ? adoptAtPlaces(fetch, value, targets, settling) : targets.length;
  for (let place = silent ? shownCount : 0; place < targets.length; place += 1) {
    const target = targets[place];
    if (target !== undefined) tell(fetch, place < shownCount ? answer : BROKEN, target, settling);
  }
}

/** @returns how many of the places show it: all, or the first alone, or none when nothing more may be taken over */
function adoptAtPlaces(
  { selection }: SettledFetch,
  value: Row,
  targets: readonly Target[],
  settling: Settling,
): number {
  const { room } = settling;
  const before = room.values;
  if (before <= 0) return 0;
  let shownCount = 0;
  for (const { row } of targets) {
    adopt(row, value, selection.fields, settling);
    shownCount += 1;
    // Each place costs what the first one did.
    if (shownCount === 1 && (before - room.values) * (targets.length - 1) > room.values) break;
  }
  return shownCount;
}

function tell(
  { subgraph, selection, types }: SettledFetch,
  answer: RowAnswer,
  target: Target,
  { run, mayTell }: Settling,
): void {
  const { facts, failure } = answer;
  const { report } = run;
  const named = (extensions: Readonly<Record<string, unknown>>) => ({ ...extensions, serviceName: subgraph });
  for (const { message, path = [], extensions } of facts.errors) {
    if (!mayTell(1)) break;
    report.fail({ message, path: toPath(target.path, path), extensions: named(extensions) });
  }
  for (const { fact, rest } of facts.refusals) report.refuse(fact, toPath(target.path, rest));
  for (const { fact, rest } of facts.degraded) report.degrade(fact, toPath(target.path, rest));
  if (failure === null || !mayTell(0)) return;
  const told = new Set(facts.errors.map(({ path }) => path?.[0]));
  const keys = keysOf(selection, target.row, { types, run }).filter((key) => !told.has(key));
  if (keys.length === 0 && told.size > 0) return;
  for (const { message, extensions } of failure) {
    if (!mayTell(keys.length)) break;
    report.failFields(toPath(target.path), keys, { message, extensions: named(extensions) });
  }
}

/** What the fetch would have answered for this row. */
function keysOf(
  { keys }: FetchSelection,
  row: Row,
  { types, run }: { readonly types: TypeRelations; readonly run: PlanRun },
): readonly string[] {
  const name = row['__typename'];
  const applies = (condition: string): boolean => typeof name !== 'string' || types.isA(name, condition);
  const found = keys.filter(({ conditions, guard }) => conditions.every(applies) && holds(guard, run.coerced));
  return [...new Set(found.map(({ key }) => key))];
}
