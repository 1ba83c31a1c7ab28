/** Rows a statement carries at most: with 25 columns far below SQLite's 32,766 and PostgreSQL's 65,535 parameters. */
const BATCH_SIZE = 500;

/** The items in slices of at most `size`; none for none. */
export function batchesOf<T>(items: readonly T[], size = BATCH_SIZE): readonly (readonly T[])[] {
  const batches: T[][] = [];
  for (let start = 0; start < items.length; start += size) batches.push(items.slice(start, start + size));
  return batches;
}

/** Runs a statement for each batch, one after the other; its answers in one list. No call for no items. */
export async function inBatches<T, R>(
  items: readonly T[],
  run: (batch: readonly T[]) => Promise<readonly R[]>,
): Promise<R[]> {
  const rows: R[] = [];
  for (const batch of batchesOf(items)) rows.push(...(await run(batch)));
  return rows;
}
