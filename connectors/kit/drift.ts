import { isAheadOf } from '#schema/model/source-clock.ts';

import type { Runtime } from './runtime.ts';

/**
 * Tells of rows that could not be read and of words of closed lists nobody knows (a state that became UNKNOWN though the
 * vendor said one), and of instants to come. Cost: one look at each draft.
 */
export function noteDrift<S>(
  runtime: Runtime<S>,
  operation: string,
  seen: { readonly rejected: number; readonly drafts: Iterable<unknown> },
): void {
  if (seen.rejected > 0) runtime.drifted(operation, 'row');
  const nowMs = runtime.nowMs();
  let [word, clock] = [false, false];
  for (const draft of seen.drafts) {
    word ||= hasUnknownState(draft);
    clock ||= isAheadOf(nowMs, asOfOf(draft));
  }
  if (word) runtime.drifted(operation, 'word');
  if (clock) runtime.drifted(operation, 'clock');
}

function asOfOf(draft: unknown): string | null {
  if (typeof draft !== 'object' || draft === null || !('stamp' in draft)) return null;
  const { stamp } = draft;
  if (typeof stamp !== 'object' || stamp === null || !('asOf' in stamp)) return null;
  return typeof stamp.asOf === 'string' ? stamp.asOf : null;
}

function hasUnknownState(draft: unknown): boolean {
  if (typeof draft !== 'object' || draft === null || !('state' in draft) || !('vendorState' in draft)) return false;
  return draft.state === 'UNKNOWN' && draft.vendorState !== '' && !SAYS_UNKNOWN.has(String(draft.vendorState));
}

/** Words with which a vendor itself says that it does not know. Source: ShipEngine API, tracking status codes. */
const SAYS_UNKNOWN: ReadonlySet<string> = new Set(['UN']);
