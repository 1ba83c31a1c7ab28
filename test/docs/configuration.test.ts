import { readFileSync } from 'node:fs';

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
    const { requestMs, ...flat } = limits;
    const keys = [...Object.keys(flat), ...Object.keys(requestMs).map((key) => `requestMs.${key}`)];
    expect(documentedLimits().toSorted()).toEqual(keys.toSorted());
  });
});
