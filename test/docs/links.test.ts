import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const pages = globSync(['*.md', '{docs,domain,platform,schema,sandbox,test,gateway,subgraphs,connectors}/**/*.md'], {
  cwd: root,
  exclude: ['**/node_modules/**'],
})
  .map((page) => resolve(root, page))
  .toSorted();

/** The page without its code, where brackets mean something else. */
function proseOf(page: string): string {
  return readFileSync(page, 'utf8')
    .replaceAll(/^```[\s\S]*?^```/gm, '')
    .replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]()]/g, ' '));
}

/** Headings as GitHub makes them into anchors. */
function anchorsOf(page: string): ReadonlySet<string> {
  const headings = [...readFileSync(page, 'utf8').matchAll(/^#{1,6} +(.+)$/gm)].map(([, text]) => String(text));
  return new Set(
    headings.map((text) =>
      text
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function brokenLinksOf(page: string): string[] {
  const targets = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => String(target));
  return targets.filter((target) => {
    if (/^[a-z]+:/.test(target)) return false;
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? page : resolve(dirname(page), path);
    if (!existsSync(file)) return true;
    return anchor !== undefined && file.endsWith('.md') && !anchorsOf(file).has(anchor);
  });
}

describe('the pages', () => {
  it('are found', () => {
    expect(pages.map((page) => relative(root, page))).toEqual(
      expect.arrayContaining(['README.md', 'CONTRIBUTING.md', 'docs/consent.md', 'domain/consent/README.md']),
    );
  });

  it.each(pages.map((page) => relative(root, page)))('%s links to files and headings that exist', (page) => {
    expect(brokenLinksOf(resolve(root, page))).toEqual([]);
  });

  it('hold no two versions of themselves', () => {
    const torn = pages.filter((page) => /^(<{7}|>{7})( |$)/m.test(readFileSync(page, 'utf8')));
    expect(torn.map((page) => relative(root, page))).toEqual([]);
  });
});
