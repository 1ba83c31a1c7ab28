import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseConfigText } from '#gateway/config-file.ts';
import { SANDBOX_SYSTEMS } from './faults.ts';
import { startSandbox } from './server.ts';
import type { Sandbox } from './server.ts';

const builtAt = '2026-11-20T00:00:00.000Z';
let home: string;
let sandbox: Sandbox;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'mortar-sandbox-'));
  sandbox = await startSandbox({ sandboxPort: 0, controlPort: 0, home, builtAt });
});
afterAll(async () => {
  await sandbox.close();
  await rm(home, { recursive: true });
});
beforeEach(() => post('/reset'));

type Body = Record<string, unknown>;

async function post(path: string, body?: unknown): Promise<{ status: number; body: Body }> {
  const text = typeof body === 'string' ? body : JSON.stringify(body ?? {});
  const response = await fetch(sandbox.urls.control + path, { method: 'POST', body: text });
  return { status: response.status, body: (await response.json()) as Body };
}
const control = async (path: string) =>
  (await fetch(sandbox.urls.control + path)).json() as Promise<Record<string, Body>>;
const stores = (signal?: AbortSignal) =>
  fetch(`${sandbox.urls.pos}/v2/locations`, {
    headers: { authorization: `Bearer ${sandbox.environment['SANDBOX_POS_TOKEN']}` },
    ...(signal === undefined ? {} : { signal }),
  });

describe('the sandbox server', () => {
  test('gives each system, the issuer and the control port a port of its own', () => {
    expect(Object.keys(sandbox.ports).toSorted()).toEqual([...SANDBOX_SYSTEMS, 'issuer', 'control'].toSorted());
    expect(new Set(Object.values(sandbox.ports)).size).toBe(7);
  });

  test('writes a configuration the gateway accepts in production form, secrets by reference, no drafts left', async () => {
    const text = await readFile(sandbox.configFile, 'utf8');
    const config = parseConfigText({
      file: sandbox.configFile,
      text,
      variables: sandbox.environment,
      production: true,
    });
    expect(config.systems.map(({ id }) => id)).toEqual(SANDBOX_SYSTEMS);
    expect(config.retail.locations).toHaveLength(16);
    for (const secret of Object.values(sandbox.environment)) expect(text).not.toContain(secret);
    expect((await readdir(join(home, 'sandbox'))).toSorted()).toEqual(['consents.jsonl', 'mortar.config.yaml']);
  });

  test('writes every past decision as one JSON line', async () => {
    const lines = (await readFile(sandbox.consentsFile, 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(sandbox.world().consents);
  });

  test('says which port is taken and which flag chooses another, and leaves none open', async () => {
    const { port } = new URL(sandbox.urls.control);
    await expect(startSandbox({ sandboxPort: 0, controlPort: Number(port), home })).rejects.toThrow(
      `port ${port} (control) is in use or not allowed: choose another with --control-port`,
    );
    await expect(startSandbox({ sandboxPort: 65_534, controlPort: 0, home })).rejects.toThrow(/leaves no room/);
  });

  test('counts requests per system and operation until a reset', async () => {
    await (await stores()).text();
    await (await stores()).text();
    expect((await control('/calls'))['pos']).toEqual({ 'GET /v2/locations': 2 });
    await post('/reset');
    expect((await control('/calls'))['pos']).toEqual({});
  });

  test('shows the whole truth, with the authority and the graph id of every place', async () => {
    const truth = (await control('/world')) as unknown as Record<string, Body[]>;
    const { people, profiles, orders } = sandbox.world();
    expect(truth['people']).toHaveLength(people.length);
    expect(truth['profiles']).toEqual(profiles);
    expect(truth['orders']).toEqual(orders);
    expect(truth['places']?.[0]?.['home']).toMatchObject({ system: 'pos', locationId: expect.stringMatching(/^loc_/) });
    expect(truth['stock']?.every((row) => row['authority'] !== null)).toBe(true);
  });

  test('refuses a body beyond 4 MiB', async () => {
    expect(
      (await fetch(`${sandbox.urls.pos}/v2/locations`, { method: 'POST', body: 'x'.repeat(5_000_000) })).status,
    ).toBe(413);
  });
});

describe('faults', () => {
  test.each([
    ['error', 500],
    ['rateLimit', 429],
  ])('%s answers as the vendor does', async (fault, status) => {
    await post('/faults', { system: 'pos', fault });
    const answer = await stores();
    expect([answer.status, Object.keys((await answer.json()) as object)]).toEqual([status, ['errors']]);
  });

  test('garbage answers 200 with what is no JSON', async () => {
    await post('/faults', { system: '*', fault: 'garbage' });
    const answer = await stores();
    expect(answer.status).toBe(200);
    await expect(answer.json()).rejects.toThrow(/JSON/);
  });

  test('reset cuts the connection', async () => {
    await post('/faults', { system: 'pos', fault: 'reset' });
    await expect(stores()).rejects.toThrow(/fetch failed/);
  });

  test('hang answers nothing until it is cleared', async () => {
    await post('/faults', { system: 'pos', fault: 'hang' });
    const pending = stores().then(
      () => 'answered',
      () => 'cut',
    );
    expect(await Promise.race([pending, control('/livez').then(() => 'waiting')])).toBe('waiting');
    await post('/reset');
    expect(await pending).toBe('cut');
  });

  test('an error with value 0 never strikes, and a fault of one system leaves the others alone', async () => {
    await post('/faults', { system: 'pos', fault: 'error', value: 0 });
    await post('/faults', { system: 'crm', fault: 'error' });
    expect((await stores()).status).toBe(200);
  });

  test.each([
    { system: 'till', fault: 'error' },
    { system: 'pos', fault: 'fire' },
    { system: 'pos', fault: 'error', value: 2 },
    { system: 'pos', fault: 'latency' },
    { system: 'pos', fault: 'error', forever: true },
    'no json',
  ])('refuse %j with a clear message', async (body) => {
    const answer = await post('/faults', body);
    expect(answer.status).toBe(400);
    expect(String(answer.body['error']).length).toBeGreaterThan(5);
    expect((await stores()).status).toBe(200);
  });
});

describe('events', () => {
  const stocked = () => [...sandbox.world().stock.values()].find((row) => row.onHand > 5 && row.committed === 0)!;

  test('a sale takes units off the shelf and moves the sequence on', async () => {
    const { sku, place, onHand } = stocked();
    const before = sandbox.world().sequence;
    const { status, body } = await post('/events', { kind: 'sale', sku, place, quantity: 2 });
    expect([status, body['sequence']]).toEqual([200, before + 1]);
    expect(sandbox.world().stock.get(`${sku}@${place}`)).toMatchObject({ onHand: onHand - 2 });
  });

  test('a reset builds the same world again', async () => {
    const { sku, place, onHand } = stocked();
    await post('/events', { kind: 'adjustment', sku, place, onHand: -3 });
    expect(sandbox.world().stock.get(`${sku}@${place}`)?.onHand).toBe(-3);
    await post('/reset');
    expect(sandbox.world().stock.get(`${sku}@${place}`)?.onHand).toBe(onHand);
  });

  test('an order commits units, and its cancellation lets them go', async () => {
    const row = [...sandbox.world().stock.values()].find(({ place }) => place === 'W1')!;
    const before = row.committed;
    const placed = await post('/events', { kind: 'order', channel: 'web', lines: [{ sku: row.sku, quantity: 2 }] });
    const { orderNumber } = placed.body['changed'] as { orderNumber: string };
    expect(row.committed).toBe(before + 2);
    await post('/events', { kind: 'stage', orderNumber, stage: 'canceled' });
    expect(row.committed).toBe(before);
  });

  test.each([
    [{ kind: 'sale', sku: 'none', place: 'S01', quantity: 1 }, /does not carry none/],
    [{ kind: 'order', channel: 'web', lines: [{ sku: 'none', quantity: 1 }] }, /no item none/],
    [{ kind: 'order', channel: 'web', lines: [] }, /lines/],
    [{ kind: 'stage', orderNumber: 'none', stage: 'paid' }, /no order none/],
    [{ kind: 'party' }, /kind/],
  ])('that cannot happen are refused: %j', async (event, message) => {
    const { status, body } = await post('/events', event);
    expect(status).toBe(400);
    expect(body['error']).toMatch(message);
  });

  test('unknown addresses and methods are told so', async () => {
    expect((await fetch(`${sandbox.urls.control}/nowhere`)).status).toBe(404);
    expect((await fetch(`${sandbox.urls.control}/reset`)).status).toBe(405);
  });
});
