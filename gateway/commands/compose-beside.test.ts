import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { readAddresses, SUPERGRAPH_FILE } from '#gateway/supergraph.ts';
import { runComposeBeside } from './compose-beside.ts';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.12", import: ["@key", "@policy", "@external", "@requires"])`;
const STARS = `${LINK} scalar Sku type Product @key(fields: "sku") { sku: Sku! stars: Float }`;
const OURS = fileURLToPath(SUPERGRAPH_FILE);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mortar-compose-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (name: string): string => join(folder, name);
function aSchema(sdl = STARS): string {
  writeFileSync(at('stars.graphql'), sdl);
  return at('stars.graphql');
}
const run = (given: readonly string[], out: string | undefined = at('out.graphql')) => runComposeBeside({ given, out });

describe('mortar compose --subgraph', () => {
  it('writes ours and theirs with their address into a file of its own', () => {
    const report = run([`stars=${aSchema()}@https://stars.example:8443/graphql?a=b`]);
    expect(report).toEqual({
      exitCode: 0,
      lines: [`${at('out.graphql')} written (catalog, consent, customers, inventory, orders, stars).`],
    });
    const addresses = new Map(
      readAddresses(readFileSync(at('out.graphql'), 'utf8')).map(({ name, url }) => [name, url]),
    );
    expect(addresses.get('stars')).toBe('https://stars.example:8443/graphql?a=b');
    expect(addresses.get('catalog')).toBe('mortar://catalog');
  });

  it('says that the configuration must name an address that is not given', () => {
    expect(run([`stars=${aSchema()}`]).lines[1]).toBe(
      'The configuration must name the url of stars (section subgraphs).',
    );
  });

  it('says what only a subgraph may do that is told the caller', () => {
    const schema = aSchema(`${LINK} type Customer @key(fields: "id") { id: ID! nickname: String }`);
    const { exitCode, lines } = run([`stars=${schema}@https://stars.example`]);
    expect(exitCode).toBe(0);
    expect(lines.join('\n')).toMatch(/Refused by a gateway unless .*trust[^]*Customer\.nickname is about a person/);
  });

  it.each([
    ['no file to write', [], undefined, /needs --out FILE/],
    ['our own supergraph', [], OURS, /composed of ours alone/],
    ['our own supergraph by a link', [], 'link', /composed of ours alone/],
    ['a folder that is not there', [], '/nowhere/out.graphql', /cannot write \/nowhere\/out\.graphql: ENOENT/],
    ['no name', ['stars.graphql'], '', /is not like loyalty=/],
    ['a name of ours', ['orders=x.graphql'], '', /"orders" is a subgraph of ours/],
    ['a file that is not there', ['stars=/nowhere.graphql'], '', /cannot read the schema of stars: ENOENT/],
    ['an address that is none', ['stars=x.graphql@http://'], '', /stars: ENOENT|is no address/],
  ])('refuses %s', (_, given, out, message) => {
    symlinkSync(OURS, at('link'));
    const target = out === 'link' ? at('link') : out === '' ? at('out.graphql') : out;
    const before = readFileSync(OURS, 'utf8');
    const { exitCode, lines } = runComposeBeside({ given, out: target });
    expect([exitCode, lines.join('\n')]).toEqual([1, expect.stringMatching(message)]);
    expect(readFileSync(OURS, 'utf8')).toBe(before);
  });

  it.each([
    ['a field of ours', STARS.replace('stars: Float', 'title: String'), /Product\.title.*catalog.*stars/],
    ['an unknown key', STARS.replace('fields: "sku"', 'fields: "code"'), /\[stars\].*code/],
    ['what is no GraphQL', 'type Product {', /\[stars\] Syntax Error/],
    ['a rule nobody enforces', STARS.replace('Float', 'Float @policy(policies: [["p"]])'), /it uses @policy/],
  ])('refuses %s in a line that names it, and leaves the file before', (_, sdl, message) => {
    writeFileSync(at('out.graphql'), 'before');
    const { exitCode, lines } = run([`stars=${aSchema(sdl)}@https://stars.example`]);
    expect([exitCode, lines.join('\n')]).toEqual([1, expect.stringMatching(message)]);
    expect(readFileSync(at('out.graphql'), 'utf8')).toBe('before');
  });

  it('refuses two of one name', () => {
    const schema = aSchema();
    expect(run([`stars=${schema}`, `stars=${schema}`]).lines).toEqual(['--subgraph names "stars" twice.']);
  });
});
