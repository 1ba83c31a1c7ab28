/** Rows a statement carries at most: far below SQLite's 32,766 and PostgreSQL's 65,535 parameters. */
const BATCH_SIZE = 500;

/** The items in slices of at most {@link BATCH_SIZE}; none for none. */
export function batchesOf<T>(items: readonly T[], size = BATCH_SIZE): readonly (readonly T[])[] {
  const batches: T[][] = [];
  for (let start = 0; start < items.length; start += size) batches.push(items.slice(start, start + size));
  return batches;
}

/** Concatenates what `read` answers for each batch, one after the other. */
export async function readInBatches<T, R>(
  items: readonly T[],
  read: (batch: readonly T[]) => Promise<readonly R[]>,
): Promise<readonly R[]> {
  const rows: R[] = [];
  for (const batch of batchesOf(items)) rows.push(...(await read(batch)));
  return rows;
}
