/** The longest time one turn of the event loop kept its thread, in milliseconds of processor time and of the clock. */
export interface LoopHold {
  readonly cpuMs: number;
  readonly wallMs: number;
}

const threadCpuMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
};

/**
 * Watches every turn of the event loop while `work` runs. Processor time is what the thread itself used: a busy machine
 * does not lengthen it, as it does the clock's.
 */
export async function holdDuring(work: () => Promise<unknown>): Promise<LoopHold> {
  const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const watching = new AbortController();
  const longest = { cpuMs: 0, wallMs: 0 };
  const watch = async (): Promise<void> => {
    let [cpu, wall] = [threadCpuMs(), performance.now()];
    while (!watching.signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- turn by turn
      await nextTurn();
      const [cpuNow, wallNow] = [threadCpuMs(), performance.now()];
      longest.cpuMs = Math.max(longest.cpuMs, cpuNow - cpu);
      longest.wallMs = Math.max(longest.wallMs, wallNow - wall);
      [cpu, wall] = [cpuNow, wallNow];
    }
  };
  await nextTurn();
  const watched = watch();
  await work();
  await nextTurn();
  watching.abort();
  await watched;
  return longest;
}
