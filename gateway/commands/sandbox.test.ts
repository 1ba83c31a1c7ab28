import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'mortar-sandbox-command-'));
});
afterAll(() => rm(home, { recursive: true }));

function start(...more: readonly string[]): ChildProcess {
  const given = ['sandbox', '--sandbox-port', '0', '--control-port', '0', '--home', home, ...more];
  return fork('gateway/main.ts', given, {
    cwd: PROJECT,
    execPath: join(PROJECT, 'node_modules/.bin/node'),
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
}

test('a child says over IPC where everything is and ends when its parent lets go', async () => {
  const child = start();
  const [message] = (await once(child, 'message')) as [
    { kind: string; configFile: string; urls: Record<string, string> },
  ];
  expect(message).toMatchObject({ kind: 'ready', configFile: join(home, 'sandbox/mortar.config.yaml') });
  expect((await fetch(`${message.urls['control']}/livez`)).status).toBe(200);
  const ended = once(child, 'exit');
  child.disconnect();
  expect((await ended)[0]).toBe(0);
});

test('a child stopped by a signal ends with code 0 although connections are open', async () => {
  const child = start();
  const [message] = (await once(child, 'message')) as [{ urls: Record<string, string> }];
  await (await fetch(`${message.urls['issuer']}/jwks`)).text();
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
});

test('a taken port and an unreadable data set are told over IPC before it ends with code 1', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const cases = [
    [['--control-port', String(port)], new RegExp(`port ${port} .*--control-port`)],
    [['--dataset', join(home, 'none.csv')], /cannot read the data file .*none\.csv/],
  ] as const;
  for (const [flags, words] of cases) {
    const child = start(...flags);
    const ended = once(child, 'exit');
    const [message] = (await once(child, 'message')) as [{ kind: string; message: string }];
    expect([message.kind, (await ended)[0]]).toEqual(['error', 1]);
    expect(message.message).toMatch(words);
  }
  server.close();
});
