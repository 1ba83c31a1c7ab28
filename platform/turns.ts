/** Work of one request that took longer than this, in milliseconds, lets others go before the next step. */
const LONG_MS = 5;

/** Resolves when everything that waits for the event loop now has had its turn. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Whether the work since `sinceMs` (of `performance.now()`) was so long that others should go first: see giveWay. */
export function isLong(sinceMs: number): boolean {
  return performance.now() - sinceMs > LONG_MS;
}

/** Gives way to others when the work since `sinceMs` (of `performance.now()`) was long: a few long steps must not add up to one. */
export async function giveWay(sinceMs: number): Promise<void> {
  if (isLong(sinceMs)) await nextTurn();
}
