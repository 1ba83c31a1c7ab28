import { isRow, type Row } from './row.ts';

export type ResponsePath = readonly (string | number)[];

/** A client path that shares its beginning with its neighbors: thousands of rows cost one node each. */
export interface PathNode {
  readonly before: PathNode | null;
  readonly step: string | number;
}

/** One row a fetch fills, and where the client sees it. Null: the root. */
export interface Target {
  readonly row: Row;
  readonly path: PathNode | null;
}

/** The path from the root, followed by `rest`. */
export function toPath(node: PathNode | null, rest: ResponsePath = []): ResponsePath {
  const steps: (string | number)[] = [];
  for (let at = node; at !== null; at = at.before) steps.push(at.step);
  steps.reverse();
  return steps.concat(rest);
}

/**
 * Every row below the targets at a plan's path (`@` stands for each entry of a list), in order. What is null, missing or
 * no object there is left out.
 */
export function flatten(targets: readonly Target[], path: readonly (string | number)[]): readonly Target[] {
  const found: Target[] = [];
  const walk = (value: unknown, index: number, at: PathNode | null): void => {
    const step = path[index];
    if (Array.isArray(value)) {
      // A list where the plan expects none is walked too: the plan knows types, the answer may lie.
      const next = step === '@' ? index + 1 : index;
      for (let position = 0; position < value.length; position += 1)
        walk(value[position], next, { before: at, step: position });
    } else if (isRow(value)) {
      if (step === undefined) found.push({ row: value, path: at });
      else if (step !== '@') walk(value[step], index + 1, { before: at, step });
    }
  };
  for (const { row, path: at } of targets) walk(row, 0, at);
  return found;
}
