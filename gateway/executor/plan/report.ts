import type { ResponsePath } from './paths.ts';
import { ERROR_CODES, type ErrorCode } from '#platform/errors.ts';
import type { DegradedSource, Refusal } from '#platform/subgraph.ts';

/** An error at its client path; a plain record, because making an Error for each of a thousand rows costs a stack each. */
export interface LocatedError {
  readonly message: string;
  readonly path: ResponsePath | undefined;
  readonly extensions: Readonly<Record<string, unknown>>;
  /** It happened at something the client did not select, and is told at the row: whatever is missing there may be so for it. */
  readonly isHidden?: true;
}

/** Why something could not be answered; told at every field it costs. */
export interface Cause {
  readonly message: string;
  readonly extensions: Readonly<Record<string, unknown>>;
}

export function causeOf(code: ErrorCode): Cause {
  return { message: ERROR_CODES[code].message, extensions: { code } };
}

/** Whether a fetch may tell that many more errors place by place. */
export type MayTell = (count: number) => boolean;

/** Where the facts of all fetches of one operation go. Client paths are as exact as the plan knows them. */
export interface Report {
  /** For one fetch that answered; what it may not tell is remembered as untold of the subgraph. */
  readonly tellingOf: (subgraph: string) => MayTell;
  readonly fail: (error: LocatedError) => void;
  /** One cause that costs a row these fields. */
  readonly failFields: (row: ResponsePath, keys: readonly string[], cause: Cause) => void;
  readonly refuse: (refusal: Refusal, clientPath: ResponsePath) => void;
  readonly degrade: (source: DegradedSource, clientPath: ResponsePath) => void;
}

/** The share of a fetch's answer beside its data that belongs to one row; paths are relative to that row. */
export interface RowFacts {
  readonly errors: readonly LocatedError[];
  readonly refusals: readonly Placed<Refusal>[];
  readonly degraded: readonly Placed<DegradedSource>[];
}

export interface Placed<T> {
  readonly fact: T;
  readonly rest: ResponsePath;
}
