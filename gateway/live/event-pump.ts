export interface EventPumpOptions {
  /** Runs one event over keys that changed; null: all of them. Resolves when the client can take the next. Never rejects. */
  readonly run: (keys: readonly string[] | null) => Promise<void>;
  /** Changes within this time of the first are one event, in milliseconds. */
  readonly windowMs: number;
  /** When everybody must look again at once, each waits up to so much longer, in milliseconds. */
  readonly spreadMs: number;
  /** 0 <= x < 1. @default Math.random */
  readonly random?: () => number;
}

/**
 * Turns changes into events, one at a time: a burst is one event, and what changes while an event runs or the client is
 * slow waits merged, so that nothing ever queues up.
 */
export interface EventPump {
  /** Runs the first event, over all keys, and then what changed meanwhile. */
  readonly start: () => void;
  /** Null: any key may have changed. */
  readonly notify: (keys: readonly string[] | null) => void;
  /** No further event begins. */
  readonly stop: () => void;
}

export function createEventPump({ run, windowMs, spreadMs, random = Math.random }: EventPumpOptions): EventPump {
  const changed = new Set<string>();
  let all = false;
  let state: 'new' | 'idle' | 'waiting' | 'running' | 'stopped' = 'new';
  let timer: NodeJS.Timeout | undefined;

  const flush = async (): Promise<void> => {
    state = 'running';
    const keys = all ? null : [...changed];
    all = false;
    changed.clear();
    await run(keys);
    if (!isStopped()) plan();
  };
  const isStopped = (): boolean => state === 'stopped';
  const plan = (): void => {
    state = 'idle';
    if (!all && changed.size === 0) return;
    state = 'waiting';
    timer = setTimeout(() => void flush(), windowMs + (all ? random() * spreadMs : 0));
  };
  return {
    start() {
      if (state !== 'new') return;
      all = true;
      void flush();
    },
    notify(keys) {
      if (keys === null) all = true;
      else for (const key of keys) changed.add(key);
      if (state === 'idle') plan();
    },
    stop() {
      state = 'stopped';
      clearTimeout(timer);
      changed.clear();
    },
  };
}
