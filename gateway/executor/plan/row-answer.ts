import { type ResponsePath } from './paths.ts';
import { type Cause, causeOf, type LocatedError, type Placed, type RowFacts } from './report.ts';
import type { Representation } from './representation.ts';
import { applyRewrites, type Rewrite, rewritePath } from './rewrites.ts';
import { isRow, ownValue } from './row.ts';
import type { FetchOutcome } from './run.ts';
import type { TypeRelations } from './type-relations.ts';
import type { SubgraphResult } from '#platform/subgraph.ts';

/** What a fetch answered for one row: the root, or one entity. */
export interface RowAnswer {
  /** An object, or null when there is nothing to take over. */
  readonly value: unknown;
  readonly facts: RowFacts;
  /** Costs every field of the row that has no error of its own; null: nothing failed. */
  readonly failure: readonly Cause[] | null;
}

export interface AnswerReading {
  readonly rewrites: readonly Rewrite[];
  readonly types: TypeRelations;
}

const NO_FACTS: RowFacts = { errors: [], refusals: [], degraded: [] };

export function failedAnswer(causes: readonly Cause[]): RowAnswer {
  return { value: null, facts: NO_FACTS, failure: causes };
}

/** An answer that cannot be taken over. */
export const BROKEN = failedAnswer([causeOf('SUBGRAPH_UNAVAILABLE')]);

/** The answer of a fetch that asks the root. */
export function readRootAnswer(outcome: FetchOutcome, reading: AnswerReading): RowAnswer {
  if (outcome.kind === 'failed') return failedAnswer([causeOf(outcome.code)]);
  const { result } = outcome;
  const facts = factsAt(result, (path) => path, reading);
  const value: unknown = result.data ?? null;
  applyRewrites(reading.rewrites, value, reading.types);
  if (isRow(value)) return { value, facts, failure: null };
  const whole = facts.errors.filter(({ path }) => path === undefined || path.length === 0);
  const located = facts.errors.filter(({ path }) => path !== undefined && path.length > 0);
  return { value: null, facts: { ...facts, errors: located }, failure: causesOf(whole) };
}

/**
 * The answers of a fetch for entities, one for each representation. Entities are told apart by position alone, so an answer
 * with too few or too many could hand one person's values to another: it is refused whole.
 */
export function readEntityAnswers(
  outcome: FetchOutcome,
  representations: readonly Representation[],
  reading: AnswerReading,
): readonly RowAnswer[] {
  const count = representations.length;
  if (outcome.kind === 'failed') return repeat(count, failedAnswer([causeOf(outcome.code)]));
  const { result } = outcome;
  const data: unknown = result.data;
  const entities = isRow(data) ? ownValue(data, '_entities') : undefined;
  if (Array.isArray(entities) && entities.length !== count) return repeat(count, failedAnswer(causesOf([])));
  if (Array.isArray(entities) && isSilent(result)) {
    rewriteEntities(entities, representations, reading);
    return entities.map(silentAnswer);
  }
  const facts = factsByIndex(result, count, reading);
  const whole = wholeErrors(result.errors, count);
  if (!Array.isArray(entities)) {
    const failure = causesOf(whole);
    return facts.map((own) => ({ value: null, facts: own, failure }));
  }
  rewriteEntities(entities, representations, reading);
  return facts.map((own, index) => {
    const value: unknown = entities[index] ?? null;
    // An error of the whole answer is told at its first row.
    const errors = index === 0 ? [...own.errors, ...whole] : own.errors;
    const broken = value !== null && !isRow(value);
    return { value, facts: { ...own, errors }, failure: broken ? causesOf([]) : null };
  });
}

/** No fetch asks entities for their name only to tell them apart: they are of the types they were asked as. */
function rewriteEntities(
  entities: readonly unknown[],
  representations: readonly Representation[],
  { rewrites, types }: AnswerReading,
): void {
  if (rewrites.length === 0) return;
  for (const [index, entity] of entities.entries()) {
    const name = representations[index]?.['__typename'];
    // An interface's name says nothing of conditions below it.
    applyRewrites(rewrites, entity, types, typeof name === 'string' && types.isObject(name) ? name : null);
  }
}

/** It tells nothing beside its data: nearly every answer. */
function isSilent({ errors, refusals, degraded }: SubgraphResult): boolean {
  return errors.length + refusals.length + degraded.length === 0;
}

function silentAnswer(entity: unknown): RowAnswer {
  const value = entity ?? null;
  return { value, facts: NO_FACTS, failure: value !== null && !isRow(value) ? causesOf([]) : null };
}

function repeat(count: number, answer: RowAnswer): readonly RowAnswer[] {
  return Array.from({ length: count }, () => answer);
}

/** Each is told at every field of every row: one of a kind is enough, as clients are told kinds. */
const MAX_CAUSES = 5;

function causesOf(errors: readonly LocatedError[]): readonly Cause[] {
  if (errors.length === 0) return [causeOf('SUBGRAPH_UNAVAILABLE')];
  const kinds = new Map<string, Cause>();
  for (const error of errors) {
    const kind = `${String(error.extensions['code'])} ${String(error.extensions['system'])}`;
    if (!kinds.has(kind)) kinds.set(kind, error);
    if (kinds.size === MAX_CAUSES) break;
  }
  return [...kinds.values()];
}

/** Errors of no entity in particular. */
function wholeErrors(errors: SubgraphResult['errors'], count: number): readonly LocatedError[] {
  return errors
    .filter(({ path }) => entityIndex(path, count) === null)
    .map(({ message, extensions }) => ({ message, path: [], extensions }));
}

/** Null: the path names no entity of this fetch. */
function entityIndex(path: unknown, count: number): number | null {
  if (!Array.isArray(path) || path[0] !== '_entities') return null;
  const index: unknown = path[1];
  return typeof index === 'number' && Number.isInteger(index) && index >= 0 && index < count ? index : null;
}

function factsByIndex(result: SubgraphResult, count: number, reading: AnswerReading): readonly RowFacts[] {
  if (isSilent(result)) return Array.from({ length: count }, () => NO_FACTS);
  const own = Array.from({ length: count }, () => ({
    errors: [] as SubgraphResult['errors'][number][],
    refusals: [] as SubgraphResult['refusals'][number][],
    degraded: [] as SubgraphResult['degraded'][number][],
  }));
  for (const error of result.errors) {
    const index = entityIndex(error.path, count);
    if (index !== null) own[index]?.errors.push(error);
  }
  // A notice without a place still counts; it is told at the first row.
  for (const refusal of result.refusals) own[entityIndex(refusal.path, count) ?? 0]?.refusals.push(refusal);
  for (const source of result.degraded) own[entityIndex(source.path, count) ?? 0]?.degraded.push(source);
  const below = (path: ResponsePath): ResponsePath => (path[0] === '_entities' ? path.slice(2) : []);
  return own.map((facts) => factsAt(facts, below, reading));
}

function factsAt(
  facts: Pick<SubgraphResult, 'errors' | 'refusals' | 'degraded'>,
  below: (path: ResponsePath) => ResponsePath,
  { rewrites }: AnswerReading,
): RowFacts {
  const place = (path: unknown): ResponsePath => rewritePath(below(isPath(path) ? path : []), rewrites);
  const placed = <T extends { readonly path: ResponsePath }>(fact: T): Placed<T> => ({ fact, rest: place(fact.path) });
  return {
    errors: facts.errors.map(({ message, path, extensions }) => ({
      message,
      path: place(path),
      extensions,
    })),
    refusals: facts.refusals.map(placed),
    degraded: facts.degraded.map(placed),
  };
}

function isPath(path: unknown): path is ResponsePath {
  return Array.isArray(path) && path.every((step) => typeof step === 'string' || typeof step === 'number');
}
