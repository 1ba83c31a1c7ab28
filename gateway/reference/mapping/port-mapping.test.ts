import { describe, expect, it } from 'vitest';

import { projectFiles } from '#gateway/project-files.ts';
import type { ItemDraft } from '#connectors/kit/draft.ts';
import { erpTemplate } from '#test/templates/connector/connector.ts';
import { type Exchange, readExchange } from './exchange.ts';
import { mappingSection } from './mapping-section.ts';
import { type AnyDefinition, type DefinedPort, mapPort } from './port-mapping.ts';
import type { AnyRead } from './replay.ts';

const config = { id: 'erp', url: 'http://erp.test', credentials: { token: 'secret' }, options: {} };
const { read } = projectFiles();
const exampleOf = (port: string): Exchange => readExchange(`test/templates/connector/exchanges/${port}.json`, read);

/** The template's mapping, with a part of the definition or of the example replaced. */
function mapping(
  port: DefinedPort,
  { ports = {}, example = {} }: { readonly ports?: object; readonly example?: Partial<Exchange> } = {},
) {
  const definition: AnyDefinition = { ...erpTemplate, ports: { ...erpTemplate.ports, ...ports } };
  const file = port === 'itemFeed' ? 'item-feed' : port;
  return mapPort({ definition, port, example: { ...exampleOf(file), ...example }, config });
}

const decides = ({ effects }: ReturnType<typeof mapping>) =>
  Object.fromEntries(effects.flatMap((effect) => (effect.decides.length > 0 ? [[effect.path, effect.decides]] : [])));

describe.each(['items', 'itemFeed'] as const)('the template, %s', (port) => {
  it('has every field of the row with what it decides', () => {
    expect(decides(mapping(port))).toEqual({
      'rows[].id': ['externalId'],
      'rows[].code': ['code', 'provenance.source.reference'],
      'rows[].name': ['title'],
      'rows[].brand': ['brand'],
      'rows[].gtin': ['gtin'],
      'rows[].price': ['price.amount'],
      'rows[].currency': ['price.currency'],
      'rows[].updatedAt': ['provenance.asOf'],
    });
  });

  it('tells what stays the same in every record', () => {
    const fixed = mapping(port).fixed.map(({ path, value }) => [path, value]);
    expect(fixed).toContainEqual(['kind', 'item']);
    expect(fixed).toContainEqual(['category', null]);
    expect(fixed.map(([path]) => path)).not.toContain('provenance.lane');
  });
});

/** The template's items with each draft changed afterwards. */
function itemsWith(change: (draft: ItemDraft, index: number) => ItemDraft) {
  const items = erpTemplate.ports.items as AnyRead;
  const decode: AnyRead['decode'] = (bodies, keys, context) => {
    const { values, rejected } = items.decode(bodies, keys, context);
    const changed = [...values].map(([key, draft], index) => [key, change(draft as ItemDraft, index)] as const);
    return { values: new Map(changed), rejected };
  };
  return { items: { ...items, decode } };
}

it('follows a decode that swaps two fields', () => {
  const swapped = mapping('items', {
    ports: itemsWith((draft) => ({ ...draft, title: draft.brand, brand: draft.title })),
  });
  expect(decides(swapped)).toMatchObject({ 'rows[].name': ['brand'], 'rows[].brand': ['title'] });
});

describe('a mapping that would have a hole', () => {
  type Body = { readonly rows: readonly Readonly<Record<string, unknown>>[] };
  const rows = exampleOf('items').answers.flatMap(({ body }) => (body as Body).rows);
  const answered = (changed: readonly unknown[]) => ({
    answers: [{ operation: 'findItems', body: { rows: changed } }],
  });

  it('is refused where the example does not show a field that is read', () => {
    const without = rows.map(({ gtin: _gtin, ...row }) => row);
    expect(() => mapping('items', { example: answered(without) })).toThrow(
      'the connector reads fields the example does not show: rows[].gtin',
    );
    const empty = rows.map((row) => ({ ...row, gtin: null }));
    expect(() => mapping('items', { example: answered(empty) })).toThrow('rows[].gtin');
  });

  it('is refused where the example says wrongly that a field is never written', () => {
    expect(() => mapping('items', { example: { never: ['next', 'rows[].brand'] } })).toThrow(
      '"never" names fields that are shown, or not read: rows[].brand',
    );
  });

  it('is refused where the connector asks for something else than the example answers', () => {
    const other = [{ operation: 'listEverything', body: {} }];
    expect(() => mapping('items', { example: { answers: other } })).toThrow(
      'answer 1 is of listEverything, but the connector asks findItems',
    );
    expect(() => mapping('items', { example: { answers: [] } })).toThrow('answer 1 is of nothing');
    expect(() => mapping('items', { example: { answers: [...exampleOf('items').answers, ...other] } })).toThrow(
      'the connector asks 1 times, and 2 answers are given',
    );
  });

  it('is refused where no record comes of the example', () => {
    expect(() => mapping('items', { example: answered([]) })).toThrow('the example has no record');
  });

  it('is refused where an option that decides something is not set', () => {
    const items = erpTemplate.ports.items as AnyRead;
    const decode: AnyRead['decode'] = (bodies, keys, context) =>
      items.decode(context.settings.brandField === undefined ? bodies : [], keys, context);
    expect(() => mapping('items', { ports: { items: { ...items, decode } } })).toThrow(
      'options that decide something are not set: brandField',
    );
  });

  it('is refused where nothing explains why a field differs', () => {
    const ports = itemsWith((draft, index) => ({ ...draft, category: index === 0 ? 'first' : 'other' }));
    expect(() => mapping('items', { ports })).toThrow(
      'category differs between records, and nothing was seen to decide it',
    );
  });

  it('is refused where there is no example at all', () => {
    expect(() => readExchange('connectors/erp-acme/fixtures/exchanges/items.json', () => null)).toThrow(
      'connectors/erp-acme/fixtures/exchanges/items.json is missing',
    );
    expect(() => readExchange('x.json', () => '{"at":"yesterday"}')).toThrow(/x\.json is no exchange: .*at/);
  });
});

it('is refused for a port the page has no place for', () => {
  const unknown = { ...mapping('items'), port: 'parcelFeed' as DefinedPort };
  expect(() => mappingSection('erp-template', [unknown])).toThrow('The page has no place for parcelFeed');
});
