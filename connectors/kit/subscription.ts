import { randomUUID } from 'node:crypto';

import type { WebhookSubscription } from '#schema/model/webhooks.ts';

import type { Context } from './definition.ts';
import { toUpstreamError } from './failure.ts';
import { readAnswer } from './pages.ts';
import type { Runtime } from './runtime.ts';
import type { SubscriptionDefinition } from './webhook.ts';
import type { WireRequest, WireResponse } from './wire.ts';

const MOST_MS = 60_000;

/** A definition's subscription as the system's: one round asks what there is and makes or renews what is needed. */
export function bindSubscription<S>(definition: SubscriptionDefinition<S>, runtime: Runtime<S>): WebhookSubscription {
  return {
    everyMs: definition.everyMs,
    renew: async (address, signal) => {
      const context: Context<S> = runtime.context();
      const scope = { requestId: `renewal-${randomUUID()}`, deadlineAtMs: runtime.nowMs() + MOST_MS, signal };
      const call = async (request: WireRequest): Promise<WireResponse> =>
        runtime.call(request, scope, {
          operationClass: 'feed',
          timeoutMs: runtime.timeoutOf('feed'),
          mayBeEmpty: true,
        });
      const list = definition.list(context);
      try {
        const expected = { page: definition.page, operation: list.operation, operationClass: 'feed' } as const;
        const known = readAnswer(runtime, expected, await call(list));
        for (const request of definition.renewals(known, address, context)) await call(request);
      } catch (thrown) {
        throw toUpstreamError(thrown, runtime.system, list.operation);
      }
    },
  };
}
