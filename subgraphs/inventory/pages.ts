import type { Cursors, CursorPayload } from '#platform/cursors.ts';
import { checkedFirst } from '#platform/input-errors.ts';

export interface PageArgs {
  readonly first?: number | null;
  readonly after?: string | null;
}

export interface PageOptions<Row> {
  readonly args: PageArgs;
  readonly cursors: Cursors;
  /** Binds cursors to this list. */
  readonly list: string;
  readonly positionOf: (row: Row) => CursorPayload;
  /** Whether the row comes after a position, in the order of the rows. */
  readonly isAfter: (row: Row, position: CursorPayload) => boolean;
}

/**
 * One page of rows that are all in memory, in their order.
 * @throws {MortarError} LIMIT_LIST for a bad `first`, BAD_USER_INPUT for a foreign cursor.
 */
export function pageOf<Row>(rows: readonly Row[], options: PageOptions<Row>) {
  const { args, cursors, list, positionOf, isAfter } = options;
  const first = checkedFirst(args.first);
  const position = args.after == null ? null : cursors.open(list, args.after);
  const rest = position === null ? rows : rows.filter((row) => isAfter(row, position));
  const edges = rest.slice(0, first).map((node) => ({ cursor: cursors.seal(list, positionOf(node)), node }));
  return {
    edges,
    nodes: edges.map(({ node }) => node),
    pageInfo: {
      hasNextPage: rest.length > first,
      hasPreviousPage: position !== null,
      startCursor: edges.at(0)?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}
