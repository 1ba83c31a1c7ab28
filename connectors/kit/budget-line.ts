import type { Clock } from '#platform/clock.ts';
import type { MortarError } from '#platform/errors.ts';
import type { CallScope } from '#schema/model/request.ts';
import type { OperationClass } from '#schema/model/sources.ts';

import type { AccountBudget } from './budget.ts';
import { pauseFor } from './deadline.ts';
import { upstreamError } from './failure.ts';
import type { WireRequest } from './wire.ts';

/** What a wait for the budget must leave for the call itself: a moment booked and then missed is lost for everyone. */
const ROOM_MS = 150;

/** Waits until the account's budget allows the call. Gives the moment it is booked for, or why it cannot go in time. */
export type BudgetLine = (
  request: WireRequest,
  scope: CallScope,
  operationClass: OperationClass,
) => Promise<number | MortarError>;

export function createBudgetLine(budget: AccountBudget, clock: Clock): BudgetLine {
  return async (request, scope, operationClass) => {
    let isOvertaken = false;
    for (;;) {
      const askedAtMs = clock.nowMs();
      const mostMs = Math.max(0, scope.deadlineAtMs - askedAtMs - ROOM_MS);
      // A feed books no moment ahead, for reads that come later would have to go later: it asks again when there may be room.
      // Where others were quicker then it joins their line, for it would never have its turn beside steady reads.
      const books = operationClass !== 'feed' || (isOvertaken && (await budget.mayBook(request)));
      const { granted, waitMs } = await budget.take(request, books ? mostMs : 0);
      if (!books && !granted && waitMs <= mostMs && !scope.signal.aborted) {
        await pauseFor(waitMs, scope.signal);
        isOvertaken = true;
        continue;
      }
      if (!granted) {
        const message = "The system's limits allow no call in time.";
        return upstreamError('UPSTREAM_RATE_LIMITED', { message, retryAfterMs: waitMs });
      }
      if (waitMs === 0) return askedAtMs;
      await pauseFor(waitMs, scope.signal);
      // Another call, of this process or another, may have been told to slow down meanwhile.
      if (scope.signal.aborted || (await budget.pausedNowMs()) === 0) return askedAtMs + waitMs;
    }
  };
}
