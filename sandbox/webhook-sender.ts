import { listenToWorld } from './world/announcements.ts';
import type { SandboxSystem, Vendor, WebhookMessage, World } from './world/types.ts';

/** Deliveries of one system since the start or the last reset. */
export interface DeliveryCounts {
  /** Answered with 2xx. */
  readonly delivered: number;
  /** Given up after the last attempt, or never sent because too many waited. */
  readonly failed: number;
  readonly lastStatus: number | null;
}

/** Sends the vendors' signed webhooks over HTTP, as each vendor would: again when it is not answered with 2xx. */
export interface WebhookSender {
  /** Tells of changes of this world from now on. */
  readonly watch: (world: World) => void;
  /** Where the gateway is, `http://host:port`; null: vendors without subscriptions of their own send nothing. */
  readonly deliverTo: (base: string | null) => void;
  readonly counts: () => Readonly<Partial<Record<SandboxSystem, DeliveryCounts>>>;
  readonly clear: () => void;
  /** Ends what is under way. */
  readonly close: () => void;
}

const ATTEMPTS = 3;
const AGAIN_AFTER_MS = 250;
const ANSWER_WITHIN_MS = 10_000;
const MOST_WAITING = 1_000;

export function createWebhookSender(vendors: readonly Vendor[], nowMs: () => number): WebhookSender {
  const controller = new AbortController();
  const counted = new Map<SandboxSystem, DeliveryCounts>();
  const lines = new Map<SandboxSystem, { waiting: number; last: Promise<void> }>();
  let base: string | null = null;

  const count = (system: SandboxSystem, status: number | null): void => {
    const { delivered, failed } = counted.get(system) ?? { delivered: 0, failed: 0 };
    const ok = status !== null && status >= 200 && status < 300;
    counted.set(system, { delivered: delivered + Number(ok), failed: failed + Number(!ok), lastStatus: status });
  };
  const deliver = async (system: SandboxSystem, message: WebhookMessage): Promise<void> => {
    let status: number | null = null;
    for (let attempt = 1; attempt <= ATTEMPTS && !controller.signal.aborted; attempt += 1) {
      status = await post(message, controller.signal);
      if (status !== null && status < 300) break;
      await pause(AGAIN_AFTER_MS * attempt, controller.signal);
    }
    if (!controller.signal.aborted) count(system, status);
  };
  /** One after the other for each system, so that a slow receiver is not flooded. */
  const enqueue = (system: SandboxSystem, message: WebhookMessage): void => {
    const line = lines.get(system) ?? { waiting: 0, last: Promise.resolve() };
    lines.set(system, line);
    if (line.waiting >= MOST_WAITING) return count(system, null);
    line.waiting += 1;
    line.last = line.last
      .then(() => deliver(system, message))
      .finally(() => {
        line.waiting -= 1;
      });
  };
  return {
    watch: (world) =>
      listenToWorld(world, (change) => {
        for (const vendor of vendors) {
          const messages = vendor.webhooks?.(change, { world, nowMs: nowMs(), base }) ?? [];
          for (const message of messages) enqueue(vendor.system, message);
        }
      }),
    deliverTo: (address) => {
      base = address;
    },
    counts: () => Object.fromEntries(counted),
    clear: () => counted.clear(),
    close: () => controller.abort(),
  };
}

/** The status; null: no answer. */
async function post({ url, headers, body }: WebhookMessage, signal: AbortSignal): Promise<number | null> {
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]);
    const response = await fetch(url, { method: 'POST', headers, body, signal: limit, redirect: 'manual' });
    await response.arrayBuffer();
    return response.status;
  } catch {
    // Nobody there, or too slow: as good as no answer.
    return null;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = (): void => resolve();
  const timer = setTimeout(stop, ms);
  signal.addEventListener('abort', stop, { once: true });
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  });
}
