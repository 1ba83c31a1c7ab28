import type { Runtime } from './runtime.ts';

/**
 * Tells of rows that could not be read and of words of closed lists nobody knows (a state that became UNKNOWN though the
 * vendor said one). Cost: one look at each draft that has a state.
 */
export function noteDrift<S>(
  runtime: Runtime<S>,
  operation: string,
  seen: { readonly rejected: number; readonly drafts: Iterable<unknown> },
): void {
  if (seen.rejected > 0) runtime.drifted(operation, 'row');
  for (const draft of seen.drafts) {
    if (!hasUnknownState(draft)) continue;
    runtime.drifted(operation, 'word');
    return;
  }
}

function hasUnknownState(draft: unknown): boolean {
  if (typeof draft !== 'object' || draft === null || !('state' in draft) || !('vendorState' in draft)) return false;
  return draft.state === 'UNKNOWN' && draft.vendorState !== '' && !SAYS_UNKNOWN.has(String(draft.vendorState));
}

/** Words with which a vendor itself says that it does not know. Source: ShipEngine API, tracking status codes. */
const SAYS_UNKNOWN: ReadonlySet<string> = new Set(['UN']);
