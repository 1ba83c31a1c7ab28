import { setTimeout as sleep } from 'node:timers/promises';

import { MortarError } from '#platform/errors.ts';
import type { Logger } from '#platform/log.ts';
import type { ConnectedSystem } from '#schema/model/sources.ts';

export interface RenewalOptions {
  readonly systems: readonly Pick<ConnectedSystem, 'system' | 'webhookSubscription'>[];
  /** Where systems reach us; null: nobody knows, so nothing is asked for. */
  readonly publicUrl: string | null;
  readonly logger: Logger;
  /** Waits, or rejects when the signal aborts. @default a timer */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

/** Systems ask our address whether it is ours: it must be served first. */
const FIRST_AFTER_MS = 2_000;
const AGAIN_AFTER_MS = 10_000;
const LONGEST_MS = 10 * 60_000;

/** Keeps the webhook subscriptions of systems that forget them, until stopped. A failure is told and tried again, later each time. */
export function startRenewals({ systems, publicUrl, logger, wait = pause }: RenewalOptions): () => Promise<void> {
  const controller = new AbortController();
  const { signal } = controller;
  const keep = async ({ system, webhookSubscription }: RenewalOptions['systems'][number]): Promise<void> => {
    if (webhookSubscription === undefined) return;
    if (publicUrl === null) {
      logger.info({ system }, 'publicUrl is not configured: the system is not asked for webhooks');
      return;
    }
    const address = `${publicUrl.replace(/\/+$/, '')}/webhooks/${system}`;
    let failures = 0;
    for (let nextMs = FIRST_AFTER_MS; ;) {
      await wait(nextMs, signal);
      try {
        await webhookSubscription.renew(address, signal);
        failures = 0;
        nextMs = webhookSubscription.everyMs;
        logger.debug({ system }, 'webhook subscriptions renewed');
      } catch (error) {
        if (signal.aborted) return;
        nextMs = Math.min(LONGEST_MS, AGAIN_AFTER_MS * 2 ** Math.min(failures, 10));
        failures += 1;
        const code = error instanceof MortarError ? error.code : 'INTERNAL_SERVER_ERROR';
        logger.warn({ system, code, failures }, 'webhook subscriptions could not be renewed; trying again');
      }
    }
  };
  const running = systems.map((system) =>
    keep(system).catch((error: unknown) => {
      if (!signal.aborted) logger.error({ system: system.system, err: error }, 'webhook renewal stopped');
    }),
  );
  return async () => {
    controller.abort();
    await Promise.all(running);
  };
}

const pause = (ms: number, signal: AbortSignal): Promise<unknown> => sleep(ms, undefined, { signal });
