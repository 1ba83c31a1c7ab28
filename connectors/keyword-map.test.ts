import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { expect, it } from 'vitest';

const here = (path: string): URL => new URL(path, import.meta.url);

/** What the map of README.md leads to. */
const places = readFileSync(here('./README.md'), 'utf8')
  .split('\n')
  .flatMap((line) => [...(/^\|[^|]+\|([^|]+)\|$/.exec(line)?.[1] ?? '').matchAll(/`([^`]+)`/g)])
  .map(([, place = '']) => place);

it('leads to every connector', () => {
  const connectors = readdirSync(here('./')).filter((name) => existsSync(here(`./${name}/connector.ts`)));
  expect(connectors.filter((name) => !places.includes(name))).toEqual([]);
});

it('leads to every file of the kit', () => {
  const files = readdirSync(here('./kit/')).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  expect(files.map((name) => `kit/${name}`).filter((name) => !places.includes(name))).toEqual([]);
});

it('leads nowhere that is not there', () => {
  expect(places.filter((place) => !existsSync(here(`./${place}`)))).toEqual([]);
});
