import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import { skipsInSplitMode } from '#test/support/e2e-mode.ts';
import { listen } from '#gateway/http/listen.ts';
import { runMortar } from '#test/support/mortar-process.ts';
import { ANY_PORTS, startProduct } from '#test/support/product.ts';

const folder = mkdtempSync(join(tmpdir(), 'mortar-e2e-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const serve = (...given: string[]) => runMortar({ arguments: ['serve', ...ANY_PORTS, ...given] });

describe.skipIf(skipsInSplitMode('starts of one process; parts are in split.test.ts'))(
  'a start that cannot succeed says why in a sentence and ends with 1',
  () => {
    it('names an unknown configuration key with its line, and the nearest known one', async () => {
      const file = join(folder, 'bad.yaml');
      writeFileSync(file, 'issuer:\n  url: http://127.0.0.1:1\n  audience: x\n  audiense: y\nsystems: []\n');
      const { code, stderr } = await serve(`--home=${folder}/a`, `--config=${file}`);
      expect(code).toBe(1);
      expect(stderr).toContain(`${file}:4:3 unknown key "issuer.audiense"; did you mean "audience"?`);
      expect(stderr).not.toMatch(/ {4}at /);
    });

    it('names the port in use and the flag to choose another', async () => {
      const other = createServer();
      const port = new URL(await listen(other, { host: '127.0.0.1', port: 0, flag: '' })).port;
      const { code, stderr } = await serve(`--home=${folder}/b`, `--port=${port}`);
      const control = await serve(`--home=${folder}/b2`, `--control-port=${port}`);
      other.close();
      expect([code, control.code]).toEqual([1, 1]);
      expect(stderr).toContain(`port ${port} is in use`);
      expect(stderr).toContain('--port');
      expect(control.stderr).toContain(port);
      expect(control.stderr).toContain('--control-port');
    });

    it('names an unreadable dataset', async () => {
      const missing = await serve(`--home=${folder}/c`, `--dataset=${folder}/none.csv`);
      expect(missing.code).toBe(1);
      expect(missing.stderr).toContain('none.csv');
      const garbage = join(folder, 'garbage.csv');
      writeFileSync(garbage, 'a,b\n1,2\n');
      const unreadable = await serve(`--home=${folder}/c2`, `--dataset=${garbage}`);
      expect(unreadable.code).toBe(1);
      expect(unreadable.stderr).toContain('garbage.csv');
    });

    it('refuses a database file that is not one, and leaves it as it is', async () => {
      const home = join(folder, 'd');
      {
        await using product = await startProduct({ home });
        await product.stop();
      }
      const file = join(home, 'sandbox/world-small-1.sqlite');
      rmSync(`${file}-wal`, { force: true });
      rmSync(`${file}-shm`, { force: true });
      const noise = Buffer.alloc(20_000, 'not a database ');
      writeFileSync(file, noise);
      const { code, stderr } = await serve(`--home=${home}`);
      expect(code).toBe(1);
      expect(stderr).toContain(file);
      expect(stderr).not.toMatch(/ {4}at /);
      expect(readFileSync(file).equals(noise)).toBe(true);
    }, 60_000);

    it('refuses a home folder that another process uses, and does not disturb that one', async () => {
      const home = join(folder, 'e');
      await using product = await startProduct({ home });
      const { code, stderr } = await serve(`--home=${home}`);
      expect(code).toBe(1);
      expect(stderr).toContain(`the home folder ${home} is in use by process ${product.process.pid}`);
      expect((await fetch(`${product.urls.base}/readyz`)).status).toBe(200);
    }, 60_000);

    it.each([
      ['an unknown option', ['serve', '--prot', '1'], 2],
      ['an unknown command', ['sreve'], 2],
      ['a port that is none', ['serve', '--port', '99999'], 2],
      ['an unknown scale', ['serve', '--scale', 'huge'], 2],
    ])('refuses %s and points to the help', async (_, given, expected) => {
      const { code, stderr } = await runMortar({ arguments: given });
      expect(code).toBe(expected);
      expect(stderr).toContain('--help');
    });
  },
);
