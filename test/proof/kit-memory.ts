import { connect, echo, scope } from '#test/support/kit-system.ts';
import type { Evidence, Reporter } from '#test/support/evidence.ts';
import { garbageCollector } from '#test/support/heap.ts';
import { sendJson, startUpstream } from '#test/support/scripted-upstream.ts';

/** What the heap may grow by over all calls. */
const MOST_MEBIBYTES = 5;
const AT_ONCE = 50;
const LATE_MS = 40;

export const kitMemory: Evidence = {
  name: 'memory',
  summary: 'calls with deadlines, answered, failed, late and left alone, leave nothing behind in the heap',
  sabotages: ['call-limit-release'],
  inProcess: true,
  run: async (report) => {
    const calls = report.short ? 10_000 : 100_000;
    const { grownMebibytes, endings } = await measure(calls, report);
    report.row({
      name: 'memory',
      metric: 'growth of the heap over all calls',
      value: grownMebibytes,
      unit: 'MiB',
      n: calls,
      median: null,
      spread: null,
      target: MOST_MEBIBYTES,
      ok: grownMebibytes < MOST_MEBIBYTES && endings.size === 4,
    });
  },
};

type Ending = 'answered' | 'refused' | 'late' | 'left';

/** One in fifty is refused by the system, one left by its caller, one in five hundred gets no answer in time. */
function endingOf(call: number): Ending {
  if (call % 50 === 1) return 'refused';
  if (call % 50 === 2) return 'left';
  return call % 500 === 3 ? 'late' : 'answered';
}

interface Measured {
  readonly grownMebibytes: number;
  readonly endings: ReadonlyMap<Ending, number>;
}

async function measure(calls: number, report: Reporter): Promise<Measured> {
  const collect = garbageCollector();
  await using upstream = await startUpstream(({ body }, response) => {
    // What the upstream remembers is the test's own memory.
    upstream.forget();
    if (body.includes('refused')) sendJson(response, {}, 503);
    else if (!body.includes('late')) sendJson(response, echo(body));
  });
  await using system = connect(upstream.url, { options: { concurrency: AT_ONCE } });
  const endings = new Map<Ending, number>();
  // One signal for all, as a feed's: whatever a call hangs on it must be taken off again.
  const shared = new AbortController();
  const call = async (number: number): Promise<void> => {
    const ending = endingOf(number);
    const leaver = ending === 'left' ? new AbortController() : shared;
    const reading = system.read([`${ending}-${number}`], scope(ending === 'late' ? LATE_MS : 5_000, leaver.signal));
    if (ending === 'left') leaver.abort();
    const [slot] = await reading;
    if (slot instanceof Error === (ending !== 'answered')) endings.set(ending, (endings.get(ending) ?? 0) + 1);
  };
  const run = async (count: number): Promise<void> => {
    for (let done = 0; done < count; done += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, async (_, index) => call(done + index)));
      system.traces.length = 0;
    }
  };
  // Compiled code, pools and buffers come with the first calls.
  await run(calls / 5);
  const before = await collect();
  endings.clear();
  await run(calls);
  const grownMebibytes = ((await collect()) - before) / 2 ** 20;
  const told = [...endings].map(([ending, count]) => `${count} ${ending}`).join(', ');
  report.progress(`${calls} calls: ${told}; the heap grew by ${grownMebibytes.toFixed(2)} MiB`);
  return { grownMebibytes, endings };
}
