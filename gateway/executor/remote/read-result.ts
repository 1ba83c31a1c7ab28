import { isCheapToParse } from './answer-weight.ts';
import { isRow, ownValue } from '#gateway/executor/plan/row.ts';
import type { SubgraphError, SubgraphResult } from '#platform/subgraph.ts';

/** What a remote subgraph answered, without what only our own subgraphs tell. */
export type PlainResult = Pick<SubgraphResult, 'data' | 'errors'> & {
  readonly extensions: Readonly<Record<string, unknown>> | undefined;
};

/** More errors than rows of the largest fetch; grouping leaves the client a hundred. */
const MAX_ERRORS = 10_000;
const MAX_MESSAGE = 1_000;

/**
 * An answer as GraphQL defines it, whatever the subgraph meant: objects are taken as they are (rows are copied where they
 * are adopted), errors are made anew of the parts that fit.
 * @throws {Error} when the text is not the JSON of a GraphQL answer; the message never holds a part of it
 */
export function readResult(text: string): PlainResult {
  if (!isCheapToParse(text)) throw new Error('the answer has too many values');
  const answer = parseJson(text);
  if (!isRow(answer)) throw new Error('the answer is not a JSON object');
  const data = ownValue(answer, 'data');
  const errors = ownValue(answer, 'errors') ?? [];
  const extensions = ownValue(answer, 'extensions');
  if (data !== undefined && data !== null && !isRow(data)) throw new Error('the data of the answer is not an object');
  if (!Array.isArray(errors)) throw new Error('the errors of the answer are not a list');
  if (data === undefined && errors.length === 0) throw new Error('the answer has neither data nor errors');
  return {
    data: data ?? null,
    errors: errors.slice(0, MAX_ERRORS).map(readError),
    extensions: isRow(extensions) ? extensions : undefined,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message repeats what it read.
    throw new Error('the answer is not JSON');
  }
}

function readError(entry: unknown): SubgraphError {
  const given = isRow(entry) ? entry : {};
  const message = ownValue(given, 'message');
  const path = ownValue(given, 'path');
  const extensions = ownValue(given, 'extensions');
  return {
    message: typeof message === 'string' ? message.slice(0, MAX_MESSAGE) : 'An error without a message.',
    path: isPath(path) ? path : undefined,
    extensions: isRow(extensions) ? plainFacts(extensions) : {},
  };
}

/** Far below what the limits of documents let a client select; a longer path is of no place in an answer. */
const MAX_STEPS = 64;

function isPath(path: unknown): path is (string | number)[] {
  return (
    Array.isArray(path) &&
    path.length <= MAX_STEPS &&
    path.every((step) => typeof step === 'string' || (Number.isInteger(step) && (step as number) >= 0))
  );
}

const MAX_FACT = 200;
const MAX_FACTS = 20;

/** Small facts only (a code, a limit, a list of scopes): they may reach the client under the names it knows. */
function plainFacts(extensions: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const facts = Object.entries(extensions).slice(0, MAX_FACTS);
  return Object.fromEntries(facts.filter(([key, value]) => key !== '__proto__' && isPlainFact(value, 3)));
}

function isPlainFact(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return value.length <= MAX_FACT;
  if (Array.isArray(value))
    return depth > 0 && value.length <= MAX_FACTS && value.every((entry) => isPlainFact(entry, depth - 1));
  return value === null || typeof value === 'number' || typeof value === 'boolean';
}
