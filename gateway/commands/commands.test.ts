import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

import { createProgressPrinter } from './load-progress.ts';
import { startSandboxProcess } from './sandbox-process.ts';
import { formatProgress, formatSummary } from './summary.ts';
import { runToken } from './token.ts';
import { lockHome } from '#gateway/home-lock.ts';
import { listen } from '#gateway/http/listen.ts';
import { startTestIssuer } from '#test/support/gateway.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const folder = () => mkdtempSync(join(tmpdir(), 'mortar-test-'));

/** Runs the real command line in a child process, in an empty folder. */
function mortar(arguments_: readonly string[], environment: Record<string, string> = {}) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(
      process.execPath,
      [MAIN, ...arguments_],
      { cwd: folder(), env: { ...process.env, ...environment } },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
  });
}

describe('the command line', () => {
  it.each([
    [['serv'], "unknown command 'serv'"],
    [['serve', '--prot', '1'], "unknown option '--prot'"],
    [['serve', '--port', '70000'], 'It is a port'],
    [['serve', '--scale', 'huge'], 'Allowed choices are small, medium, large'],
    [['token'], "missing required argument 'client'"],
    [['import', 'customers', 'x'], "unknown command 'customers'"],
  ])('ends %j with code 2 and says what is wrong', async (given, message) => {
    const { code, stdout, stderr } = await mortar(given);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });

  it('prints help and version', async () => {
    const help = await mortar(['--help']);
    expect(help.code).toBe(0);
    for (const command of ['serve', 'sandbox', 'token', 'import', 'compose', 'check', 'release', 'docs'])
      expect(help.stdout).toContain(command);
    expect(await mortar(['--version'])).toMatchObject({ code: 0, stdout: '0.1.0\n' });
  });

  it('refuses the sandbox in production, and a broken configuration with its place', async () => {
    const production = await mortar(['serve'], { NODE_ENV: 'production' });
    expect([production.code, production.stderr]).toEqual([
      1,
      expect.stringContaining('the sandbox never runs in production'),
    ]);
    const file = join(folder(), 'c.yaml');
    writeFileSync(file, 'isuer: {}\n');
    const broken = await mortar(['serve', '--config', file]);
    expect([broken.code, broken.stderr]).toEqual([
      1,
      expect.stringContaining(`${file}:1:1 unknown key "isuer"; did you mean "issuer"?`),
    ]);
  });

  it('says on standard error where to find a gateway or a client, and prints no token', async () => {
    expect(await mortar(['token', 'associate', '--url', 'http://127.0.0.1:4099'])).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('no gateway answers at http://127.0.0.1:4099'),
    });
  });
});

describe('runToken', () => {
  it('finds the issuer through the gateway, and explains unknown clients and a missing customer', async () => {
    const issuer = await startTestIssuer();
    const gateway = createServer((_request, response) =>
      response.end(JSON.stringify({ authorization_servers: [issuer.url] })),
    );
    const url = await listen(gateway, { host: '127.0.0.1', port: 0, flag: '--port' });
    await expect(runToken({ client: 'nobody', url })).rejects.toThrow(
      'Unknown client "nobody". Known clients: storefront, customer-app',
    );
    await expect(runToken({ client: 'customer-app', url })).rejects.toThrow(/pass --customer ID\. Find an id/);
    gateway.close();
    await issuer.close();
  });
});

describe('lockHome', () => {
  it('refuses a second process, and takes over what a crash left', () => {
    const home = folder();
    // The parent process lives and is a node.
    const lock = lockHome(home, process.ppid);
    expect(() => lockHome(home)).toThrow(
      `is in use by process ${process.ppid}; stop it, or choose another with --home`,
    );
    lock.release();
    writeFileSync(join(home, 'mortar.pid'), '999999999\n');
    lockHome(home).release();
    expect(() => lockHome('/dev/null/x')).toThrow('cannot use the home folder');
  });
});

describe('listen', () => {
  it('names the port in use and the flag', async () => {
    const first = createServer();
    const url = await listen(first, { host: '127.0.0.1', port: 0, flag: '--port' });
    const port = Number(new URL(url).port);
    await expect(listen(createServer(), { host: '127.0.0.1', port, flag: '--metrics-port' })).rejects.toThrow(
      `port ${port} is in use; stop what listens there, or choose another with --metrics-port`,
    );
    first.close();
  });
});

describe('startSandboxProcess', () => {
  const start = (script: string) => {
    const home = folder();
    const entry = join(home, 'entry.mjs');
    writeFileSync(entry, script);
    return startSandboxProcess({ entry, arguments: [], home });
  };

  it('waits for the ready message and stops the child', async () => {
    const sandbox = start(
      `process.send({kind:'ready',configFile:'c',environment:{A:'b'},urls:{erp:'http://x'}}); process.on('disconnect', () => process.exit()); setInterval(() => {}, 1000)`,
    );
    expect(await sandbox.ready).toMatchObject({ configFile: 'c', environment: { A: 'b' } });
    await sandbox.stop();
  });

  it('tells what the child said last when it cannot start', async () => {
    await expect(start(`console.error('port 4310 is in use'); process.exit(1)`).ready).rejects.toThrow(
      /did not start: it ended with code 1[\s\S]*port 4310 is in use/,
    );
    await expect(
      start(`process.send({kind:'error',message:'cannot read the dataset x.csv'}); setTimeout(() => {}, 100)`).ready,
    ).rejects.toThrow('cannot read the dataset x.csv');
  });

  it('reports the death of a child that was ready', async () => {
    const sandbox = start(`process.send({kind:'ready',configFile:'c',environment:{},urls:{}}, () => process.exit(7))`);
    await sandbox.ready;
    expect(await sandbox.died).toMatchObject({ code: 7 });
  });
});

describe('what a person reads', () => {
  const feeds = [
    { system: 'pos', feed: 'customers', rows: 1_200, done: true },
    { system: 'crm', feed: 'contacts', rows: 34, done: false },
  ];

  it('sums the first load up in a line, updates one line on a terminal and prints few lines elsewhere', () => {
    expect(formatProgress({ done: false, feeds })).toBe('  First load: 1 of 2 feeds, 1,234 rows (crm contacts)');
    const written: string[] = [];
    const printer = createProgressPrinter({ isTerminal: false, write: (text) => void written.push(text) });
    for (let index = 0; index < 5; index += 1) printer.update({ done: false, feeds });
    printer.update({ done: true, feeds });
    printer.update({ done: true, feeds });
    expect(written).toHaveLength(2);
    expect(printer.isOver()).toBe(true);
  });

  it('names addresses, systems with their state, and how to get a token', () => {
    const text = formatSummary({
      url: 'http://127.0.0.1:4000',
      metricsUrl: 'http://127.0.0.1:4001',
      issuerUrl: 'http://127.0.0.1:4309',
      sandbox: true,
      sandboxUrls: { control: 'http://127.0.0.1:4300' },
      pagesBuilt: true,
      startedInMs: 2_345,
      what: 'one graph over 1 systems',
      parts: [{ id: 'erp', connector: 'erp-business-central', url: 'http://127.0.0.1:4310', state: 'DOWN' }],
    });
    for (const part of [
      'http://127.0.0.1:4000/graphql',
      '/graphiql',
      ':4001/metrics',
      ':4309',
      ':4300',
      '○ erp',
      'DOWN',
      'token associate',
      '2.3 s',
    ])
      expect(text).toContain(part);
  });
});
