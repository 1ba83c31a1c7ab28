import { isDeepStrictEqual } from 'node:util';

import { code, table } from '#gateway/reference/markdown.ts';

import { isWithin } from './places.ts';
import type { DefinedPort, OtherSource, PortMapping } from './port-mapping.ts';
import type { Effect } from './probe.ts';

/** Ports by what they read. */
const KINDS = {
  items: ['items', 'itemFeed'],
  stock: ['stock', 'stockFeed'],
  locations: ['locations'],
  profiles: ['profiles', 'profileFeed'],
  loyalty: ['loyalty', 'loyaltyFeed'],
  orders: ['orders', 'orderFeed'],
  rates: ['rates'],
  tracking: ['tracking'],
  servicePoints: ['servicePoints'],
  marketingConsents: ['marketingConsents'],
  audiences: ['audiences'],
  signals: ['signalFeed'],
} as const satisfies Record<string, readonly DefinedPort[]>;

const WRITES = {
  marketingConsentSink: 'consent for a medium',
  audienceSink: 'members of customer lists',
  stockMoveSink: 'stock moves',
  stockOfferSink: 'what may be sold',
  profileSink: 'profiles',
  erasureSink: 'erasure of a profile',
  orderStepSink: 'steps of an order',
} as const satisfies Partial<Record<DefinedPort, string>>;
/**
 * Which of the vendor's fields become which canonical ones, and inputs of writes which of the vendor's.
 *
 * @throws {Error} for a port the page has no place for
 */
export function mappingSection(id: string, mappings: readonly PortMapping[]): readonly string[] {
  const places: readonly string[] = [...Object.values(KINDS).flat(), ...Object.keys(WRITES)];
  const untold = mappings.find(({ port }) => !places.includes(port));
  if (untold !== undefined) throw new Error(`The page has no place for ${untold.port}: give it one here.`);
  const read = Object.entries(KINDS).flatMap(([kind, ports]) => {
    const own = ports.flatMap((port) => mappings.filter((mapping) => mapping.port === port));
    return readTables(kind, own);
  });
  const written = Object.entries(WRITES).flatMap(([port, what]) => {
    const mapping = mappings.find((each) => each.port === port);
    return mapping === undefined ? [] : writeTable(what, mapping);
  });
  const sources = [...new Set(mappings.map(({ source }) => source))].join(', ');
  return [
    '## Field mapping',
    `Found by running the connector over examples ([fixtures](../../connectors/${id}/fixtures/exchanges); source: ${sources}) and changing one value at a time: a field stands beside everything that changed with it. \`[]\`: every element of a list; \`{id}\`: the id that was asked for; \`provenance\`: what the source says of age, number and version. *No record*: without the field, or with one that cannot be read, the record is left out.`,
    '',
    ...read,
    ...written,
  ];
}

/** One table for a read and its feed where they make the same of the same fields. */
function readTables(kind: string, mappings: readonly PortMapping[]): readonly string[] {
  const [first, second] = mappings;
  if (first === undefined) return [];
  if (second === undefined) return [`### ${code(kind)}`, ...readTable([first])];
  if (isDeepStrictEqual(essence(first), essence(second))) return [`### ${code(kind)}`, ...readTable([first, second])];
  return [
    `### ${code(kind)}, read by key`,
    ...readTable([first]),
    `### ${code(kind)}, by feed`,
    ...readTable([second]),
  ];
}

function essence(mapping: PortMapping): unknown {
  const rows = rowsOf(mapping).map(([name, fields]) => [name, fields]);
  return [rows, mapping.options, mapping.moment, mapping.fixed];
}

const isTelling = (effect: Effect): boolean => effect.decides.length > 0 || isSelecting(effect);
/** What names a record decides which there are by itself. */
const isSelecting = ({ selects, decides }: Effect): boolean =>
  selects && !decides.some((path) => ['externalId', 'code', 'provenance.source.reference'].includes(path));

/** The rows of a table, below what all of them stand in. */
function rowsOf({ effects }: PortMapping): readonly (readonly string[])[] {
  const telling = effects.filter(isTelling);
  const root = rootOf(telling.map(({ path }) => path));
  return telling.map((effect) => {
    const fields = [...effect.decides.map(code), ...(isSelecting(effect) ? ['whether there is a record'] : [])];
    return [code(trimmed(effect.path.slice(root.length))), fields.join(', '), effect.required ? 'no record' : ''];
  });
}

/** A path without dots at its ends: of the place around it, and of Tryton's relations. */
const trimmed = (path: string): string => path.replace(/^\.|\.$/g, '');

/** What all paths have in front, up to a name's end. */
function rootOf(paths: readonly string[]): string {
  const [first = ''] = paths;
  const ends = [...first.matchAll(/\.|\[\]/g)].map(({ index, 0: text }) => first.slice(0, index + text.length));
  const root = ends.findLast((end) => end !== first && paths.every((path) => path.startsWith(end))) ?? '';
  return root.endsWith('.') ? root.slice(0, -1) : root;
}

function readTable(mappings: readonly [PortMapping, ...PortMapping[]]): readonly string[] {
  const [first, second] = mappings;
  const rows = rowsOf(first).map(([name = '', fields = '', without = ''], index) => {
    const other = second === undefined ? without : (rowsOf(second)[index]?.[2] ?? '');
    return [name, fields, without === other ? without : without === '' ? `${other} by feed` : `${without} by key`];
  });
  const effects = mappings.flatMap((mapping) => mapping.effects);
  const rest = effects.filter((effect) => !isTelling(effect));
  const read = rest.filter(({ leads, checked }) => !leads && checked);
  const shown = new Set(effects.map(({ path }) => path));
  const constant = first.fixed.filter(({ value }) => value !== null);
  return [
    `Rows: ${mappings.map(placeText).join('; ')}.`,
    '',
    withOperations(['Field of the vendor', 'Becomes', 'Missing or unreadable'], rows, first.effects.filter(isTelling)),
    ...lines([
      ['Decide what is asked for next', rest.filter(({ leads }) => leads).map(pathOf)],
      ['Must be there, but decide no field', read.filter(({ required }) => required).map(pathOf)],
      ['Read, but decide no field', read.filter(({ required }) => !required).map(pathOf)],
      [
        'Also read where an answer has them',
        mappings.flatMap(({ never }) => never.filter((path) => !shown.has(path)).map(code)),
      ],
      ['In the example, and not read', unread(effects).map(code)],
      ['By options', first.options.map(sourceText)],
      ['By what was asked for', mappings.flatMap(({ keys }) => keys.map(sourceText))],
      ['The moment of reading', first.moment.map(code)],
      ['Always the same', constant.map(({ path, value }) => `${code(path)} is ${code(String(value))}`)],
      ['Not told by this system', first.fixed.filter(({ value }) => value === null).map(({ path }) => code(path))],
    ]),
  ];
}

/** Where the rows of a table stand. */
function placeText({ port, effects }: PortMapping): string {
  const telling = effects.filter(isTelling);
  const root = rootOf(telling.map(({ path }) => path));
  const operations = [...new Set(telling.map(({ part }) => code(part)))].join(' and ');
  const place = root === '' ? `in the answer to ${operations}` : `${code(root)} in the answer to ${operations}`;
  return port.endsWith('Feed') ? `by feed ${place}` : place;
}

function writeTable(what: string, { effects, options }: PortMapping): readonly string[] {
  const told = effects.filter(isTelling);
  const nameOf = ({ path }: Effect): string => code(path.replace(/^input\./, ''));
  const rows = told.map((effect) => {
    const fields = effect.decides.map(code);
    return [nameOf(effect), [...fields, ...(effect.selects ? ['whether it is sent'] : [])].join(', ')];
  });
  const rest = effects.filter((effect) => !isTelling(effect));
  return [
    `### Written: ${what}`,
    withOperations(['Given', 'Stands in the request as'], rows, told),
    ...lines([
      [
        '`before`',
        told.some(({ decides }) => decides.some((path) => path.startsWith('before.')))
          ? ['what is looked up first']
          : [],
      ],
      ['Only checked', [...new Set(rest.filter(({ checked }) => checked).map(nameOf))]],
      ['Never sent', [...new Set(rest.filter(({ checked }) => !checked).map(nameOf))]],
      ['By options', options.map(sourceText)],
    ]),
  ];
}

/** The table; which answer a field is of stands in front where there are several kinds. */
function withOperations(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  effects: readonly Effect[],
): string {
  const operations = new Set(effects.map(({ part }) => part));
  if (operations.size < 2) return table(head, rows);
  return table(
    ['Operation', ...head],
    rows.map((row, index) => [code(effects[index]?.part ?? ''), ...row]),
  );
}

function lines(facts: readonly (readonly [name: string, values: readonly string[]])[]): readonly string[] {
  const told = facts.flatMap(([name, values]) =>
    values.length === 0 ? [] : [`- ${name}: ${[...new Set(values)].join(', ')}.`],
  );
  return told.length === 0 ? [''] : ['', ...told, ''];
}

const pathOf = ({ path }: Effect): string => code(path);
const sourceText = ({ name, decides }: OtherSource): string => `${code(name)} → ${decides.map(code).join(' and ')}`;

/** Fields nobody reads; where that is so of everything in a place, the place. */
function unread(effects: readonly Effect[]): readonly string[] {
  const isUnread = (effect: Effect): boolean =>
    !isTelling(effect) && !effect.leads && !effect.checked && !effect.selects;
  const places = [...new Set(effects.flatMap(({ holder }) => [holder.replace(/\[\]$/, ''), holder]))];
  const wholes = effects.filter(isUnread).map(({ path }) => {
    const around = places.filter((place) => place !== '' && isWithin(path, place));
    const isWhole = (place: string): boolean =>
      effects.every((effect) => isUnread(effect) || (effect.path !== place && !isWithin(effect.path, place)));
    return around.toSorted((one, other) => one.length - other.length).find(isWhole) ?? path;
  });
  return [...new Set(wholes)];
}
