import { createHash } from 'node:crypto';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { applyEvent, eventInput } from './control-events.ts';
import type { EventInput } from './control-events.ts';
import { SandboxError } from './sandbox-error.ts';
import type { World } from './world/types.ts';

/** What a world's later starts must know of the earlier ones. */
export interface Journal {
  /** The instant the world is built for: the day of its first start. */
  readonly builtAt: string;
  /** Lets everything noted happen again, in order. @throws {SandboxError} when the world no longer has what an event names */
  readonly replay: (world: World) => void;
  /** Notes an event that happened; `sequence` is the world's after it. */
  readonly note: (entry: JournalEntry) => Promise<void>;
  /** Forgets the events: the world is as built again. */
  readonly clear: () => Promise<void>;
}

const head = z.strictObject({ builtAt: z.iso.datetime() });
const entry = z.strictObject({ atMs: z.int(), sequence: z.int().min(1), event: eventInput });
export interface JournalEntry {
  readonly atMs: number;
  readonly sequence: number;
  readonly event: EventInput;
}

export interface JournalOptions {
  readonly home: string;
  /** What else decides the world: another one has another journal. */
  readonly world: readonly (string | number | undefined)[];
  readonly nowMs: number;
}

/**
 * The journal of a world below the home folder: one JSON line with its day, then one for each event. Without it the graph,
 * which keeps what it has read, would stand beside a retailer that forgot its sales overnight.
 * @throws {SandboxError} naming file and line when it cannot be read or written
 */
export async function openJournal({ home, world, nowMs }: JournalOptions): Promise<Journal> {
  const folder = resolve(home, 'sandbox');
  const name = createHash('sha256').update(JSON.stringify(world)).digest('hex').slice(0, 12);
  const file = join(folder, `journal-${name}.jsonl`);
  const known = await readJournal(file);
  const builtAt = known?.builtAt ?? `${new Date(nowMs).toISOString().slice(0, 10)}T00:00:00.000Z`;
  const first = `${JSON.stringify({ builtAt })}\n`;
  const guarded = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      throw new SandboxError(`cannot write ${file} (--home): ${reasonOf(error)}`, error);
    }
  };
  // Written again where it is known too: a torn last line must not spoil the next one.
  const kept = (known?.entries ?? []).map((noted) => `${JSON.stringify(noted)}\n`).join('');
  await guarded(async () => {
    await mkdir(folder, { recursive: true });
    await writeFile(file, first + kept);
  });
  return {
    builtAt,
    replay: (target) => known?.entries.forEach((noted, index) => happenAgain(target, noted, `${file}:${index + 2}`)),
    note: async (noted) => guarded(async () => appendFile(file, `${JSON.stringify(noted)}\n`)),
    clear: async () => guarded(async () => writeFile(file, first)),
  };
}

/** For a world whose day is given: nothing is kept. */
export function noJournal(builtAt: string): Journal {
  return { builtAt, replay: () => {}, note: async () => {}, clear: async () => {} };
}

function happenAgain(world: World, { atMs, sequence, event }: JournalEntry, place: string): void {
  // Refused events moved the sequence on too, and are not noted.
  world.sequence = sequence - 1;
  try {
    applyEvent(world, event, atMs);
  } catch (error) {
    throw new SandboxError(`${place}: ${reasonOf(error)}. Remove the file to begin with a new world.`, error);
  }
}

/** Null: there is none yet. */
async function readJournal(
  file: string,
): Promise<{ readonly builtAt: string; readonly entries: readonly JournalEntry[] } | null> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new SandboxError(`cannot read ${file} (--home): ${reasonOf(error)}`, error);
  }
  // A line without its end was being written when the process died: its event was never answered.
  const lines = text.split('\n').slice(0, -1);
  if (lines.length === 0) return null;
  const parse = <V>(schema: z.ZodType<V>, index: number): V => {
    try {
      return schema.parse(JSON.parse(lines[index] ?? ''));
    } catch (error) {
      throw new SandboxError(`${file}:${index + 1} is damaged: remove the file to begin with a new world`, error);
    }
  };
  return { ...parse(head, 0), entries: lines.slice(1).map((_, index) => parse(entry, index + 1)) };
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : 'unknown cause');
