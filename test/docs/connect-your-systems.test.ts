import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(new URL('../../docs/connect-your-systems.md', import.meta.url), 'utf8');
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, text]) => text ?? '');

function mortar(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const run = spawnSync(process.execPath, [join(ROOT, 'gateway/main.ts'), ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
  });
  return { code: run.status, stdout: run.stdout, text: run.stdout + run.stderr };
}

it('shows a file in which the doctor finds nothing wrong', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mortar-connect-'));
  const file = join(folder, 'mortar.config.yaml');
  const [example = ''] = blocks('yaml');
  writeFileSync(file, example);
  const names = [...example.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => [name ?? '', 'a value']);
  const { code, text } = mortar(['doctor', '--offline', '--config', file], Object.fromEntries(names));
  rmSync(folder, { recursive: true });
  expect(text).toContain('is valid: 3 systems, 1 channels');
  expect(code).toBe(0);
});

it('shows commands and flags that there are', () => {
  const commands = blocks('sh').flatMap((text) => text.trim().split('\n'));
  expect(commands.length).toBeGreaterThan(2);
  for (const line of commands) {
    const words = line.replace('npm start --', 'npm run mortar -- serve').replace('npm run mortar -- ', '').split(' ');
    const flags = words.filter((word) => word.startsWith('--'));
    const path = words.slice(0, words[0] === 'connector' ? 2 : 1);
    const { code, stdout } = mortar([...path, '--help']);
    expect([line, code]).toEqual([line, 0]);
    for (const flag of flags) expect([line, stdout.includes(flag)]).toEqual([line, true]);
  }
});
