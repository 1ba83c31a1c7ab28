import { callerKey } from '#gateway/auth/principal.ts';
import { requestError } from '#gateway/http/request-error.ts';
import type { StreamsConfig } from '#gateway/config-schema.ts';
import type { Principal } from '#schema/model/request.ts';

/** How many streams may be open. */
export interface StreamSlots {
  /** Answers how to give the slot back. @throws {GraphQLError} OVERLOADED */
  readonly take: (principal: Principal) => () => void;
}

export function createStreamSlots(limits: Pick<StreamsConfig, 'perProcess' | 'perCaller'>): StreamSlots {
  const open = new Map<string, number>();
  let total = 0;
  return {
    take(principal) {
      const caller = callerKey(principal);
      const own = open.get(caller) ?? 0;
      if (own >= limits.perCaller)
        throw requestError('OVERLOADED', `This caller has ${own} streams open; at most ${limits.perCaller}.`);
      if (total >= limits.perProcess) throw requestError('OVERLOADED', 'Too many streams are open here.');
      open.set(caller, own + 1);
      total += 1;
      let given = false;
      return () => {
        if (given) return;
        given = true;
        total -= 1;
        const left = (open.get(caller) ?? 1) - 1;
        if (left === 0) open.delete(caller);
        else open.set(caller, left);
      };
    },
  };
}
