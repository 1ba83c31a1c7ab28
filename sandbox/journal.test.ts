import { appendFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startSandbox } from './server.ts';

const FIRST_DAY = Date.parse('2026-11-20T15:00:00.000Z');
const DAY_MS = 86_400_000;
let home: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'mortar-journal-'));
});
afterEach(() => rm(home, { recursive: true }));

const startAt = (nowMs: number, seed = 1) =>
  startSandbox({ sandboxPort: 0, controlPort: 0, home, seed, nowMs: () => nowMs });

async function happen(url: string, path: string, body: object): Promise<void> {
  const response = await fetch(url + path, { method: 'POST', body: JSON.stringify(body) });
  expect(response.status).toBe(200);
}

/** A sale, an order and its next stage, in a world that is then stopped. */
async function liveADay(): Promise<{ readonly key: string; readonly world: string }> {
  const sandbox = await startAt(FIRST_DAY);
  try {
    const { control } = sandbox.urls;
    const row = [...sandbox.world().stock.values()].find(({ onHand, committed }) => onHand - committed > 5)!;
    await happen(control, '/events', { kind: 'sale', sku: row.sku, place: row.place, quantity: 2 });
    const refused = await fetch(`${control}/events`, { method: 'POST', body: '{"kind":"stage"}' });
    expect(refused.status).toBe(400);
    await happen(control, '/events', { kind: 'order', channel: 'web', lines: [{ sku: row.sku, quantity: 1 }] });
    const { orderNumber } = sandbox.world().orders.at(-1)!;
    await happen(control, '/events', { kind: 'stage', orderNumber, stage: 'canceled' });
    return { key: `${row.sku}@${row.place}`, world: worldText(sandbox) };
  } finally {
    await sandbox.close();
  }
}

const worldText = ({ world }: Awaited<ReturnType<typeof startSandbox>>): string =>
  JSON.stringify({ ...world(), stock: [...world().stock] });

async function journalFile(): Promise<string> {
  const names = await readdir(join(home, 'sandbox'));
  return join(
    home,
    'sandbox',
    names.find((name) => name.startsWith('journal-'))!,
  );
}

test('a world started again the next day is the one that was stopped, to the last character', async () => {
  const { world } = await liveADay();
  const again = await startAt(FIRST_DAY + DAY_MS);
  try {
    expect(worldText(again)).toBe(world);
    expect(again.world().builtAt).toBe('2026-11-20T00:00:00.000Z');
  } finally {
    await again.close();
  }
});

test('another seed is another world and knows nothing of it', async () => {
  await liveADay();
  const other = await startAt(FIRST_DAY + DAY_MS, 2);
  try {
    expect(other.world()).toMatchObject({ sequence: 1, builtAt: '2026-11-21T00:00:00.000Z' });
  } finally {
    await other.close();
  }
});

test('a line torn by a crash is left out, and the next event stands on a line of its own', async () => {
  const { key } = await liveADay();
  await appendFile(await journalFile(), '{"atMs":17637');
  const [sku, place] = key.split('@');
  const second = await startAt(FIRST_DAY + DAY_MS);
  await happen(second.urls.control, '/events', { kind: 'adjustment', sku, place, onHand: 77 });
  await second.close();
  const third = await startAt(FIRST_DAY + DAY_MS);
  expect(third.world().stock.get(key)?.onHand).toBe(77);
  await third.close();
});

test('a damaged journal stops the start and names file and line', async () => {
  await liveADay();
  await writeFile(await journalFile(), '{"builtAt":"2026-11-20T00:00:00.000Z"}\n{"event":1}\n');
  await expect(startAt(FIRST_DAY)).rejects.toThrow(/journal-\w+\.jsonl:2 is damaged/);
});

test('a reset forgets the events, and what it puts back counts as changed now', async () => {
  const { key } = await liveADay();
  const nowMs = FIRST_DAY + DAY_MS;
  const sandbox = await startAt(nowMs);
  const sold = sandbox.world().stock.get(key)!.onHand;
  await happen(sandbox.urls.control, '/reset', {});
  const at = new Date(nowMs).toISOString();
  expect(sandbox.world().stock.get(key)).toMatchObject({ onHand: sold + 2, changedAt: at });
  const untouched = [...sandbox.world().stock.values()].filter(({ changedAt }) => changedAt !== at);
  expect(untouched.length).toBeGreaterThan(sandbox.world().stock.size - 5);
  await sandbox.close();
  const again = await startAt(nowMs);
  expect(again.world().stock.get(key)?.onHand).toBe(sold + 2);
  await again.close();
});
