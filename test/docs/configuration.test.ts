import { globSync, readFileSync } from 'node:fs';
import { dirname, basename } from 'node:path';

import { describe, expect, it } from 'vitest';

import { parseConfigText } from '#gateway/config-file.ts';
import type { Config } from '#gateway/config-schema.ts';
import { connectSystems } from '#gateway/systems.ts';
import { toAuthorities } from '#domain/stock/levels.ts';
import { systemClock } from '#platform/clock.ts';
import { silentLogger } from '#platform/log.ts';

const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
const example = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '';

function parse(production: boolean) {
  const names = [...example.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => [String(name), `value of ${name}`]);
  const variables = Object.fromEntries(names.filter(([name]) => name !== 'NAME'));
  return parseConfigText({ file: 'docs/configuration.md', text: example, variables, production });
}

/** Keys of a documented table's rows: the first cell of each, in backticks. */
function documentedLimits(): string[] {
  const section = page.slice(page.indexOf('### limits'), page.indexOf('### The rest'));
  return [...section.matchAll(/^\| `([\w.]+)`/gm)].map(([, key]) => String(key));
}

/** Names of the options a connector's settings declare, read from their source: their schemas are not exported. */
function optionsIn(source: string): string[] {
  const block = /const options = z\.strictObject\(\{([\s\S]*?)\}\);/.exec(source)?.[1];
  if (block === undefined) throw new Error('the settings declare no options');
  return [...block.matchAll(/^ {2}(\w+): /gm)].map(([, name]) => name ?? '');
}

describe('the table of connectors in docs/configuration.md', () => {
  const root = new URL('../..', import.meta.url);
  const files = globSync('connectors/*/settings.ts', { cwd: root }).filter((file) => !file.includes('/kit/'));

  it.each(files)('lists every option of %s', (file) => {
    const row = page.split('\n').find((line) => line.startsWith(`| \`${basename(dirname(file))}\` | \``)) ?? '';
    const options = optionsIn(readFileSync(new URL(file, root), 'utf8'));
    expect(options.filter((option) => !row.includes(`\`${option}\``))).toEqual([]);
  });
});

describe('the example in docs/configuration.md', () => {
  it('is valid, in production too', () => {
    expect(parse(true).systems.map(({ id }) => id)).toEqual(['erp', 'wms', 'pos', 'crm', 'marketplace']);
  });

  it('configures every system in a way its connector accepts', async () => {
    const config = { ...parse(false) } as Config;
    const systems = connectSystems(config, {
      clock: systemClock,
      logger: silentLogger,
      onUpstreamCall: () => undefined,
    });
    await Promise.all(systems.map(async (system) => system.close()));
    expect(systems).toHaveLength(5);
  });

  it('names one authority for each kind of location', () => {
    expect(toAuthorities(parse(false).retail.authorities).size).toBe(4);
  });

  it('shows the limits with their defaults, and the page lists each of them', () => {
    const { limits } = parse(false);
    const withoutLimits = example.slice(0, example.indexOf('limits: # all optional'));
    const defaults = parseConfigText({
      file: 'x',
      text: withoutLimits,
      variables: new Proxy({}, { get: () => 'set' }),
      production: false,
    }).limits;
    expect(limits).toEqual(defaults);
    const keys = Object.entries(limits).flatMap(([key, value]) =>
      typeof value === 'number' ? [key] : Object.keys(value).map((inner) => `${key}.${inner}`),
    );
    expect(documentedLimits().toSorted()).toEqual(keys.toSorted());
  });
});
