import { describe, expect, it } from 'vitest';

import type { Outcome } from './finding.ts';
import { type Effect, probe } from './probe.ts';

type Row = Readonly<Record<string, unknown>>;

/** Records of rows, as a definition would decode them: a row without `id` cannot be read. */
function probed(document: unknown, decode: (row: Row) => unknown, isAsked?: (path: string) => boolean) {
  const run = (): Outcome | null => {
    const { rows } = document as { readonly rows?: readonly Row[] };
    if (rows === undefined) return null;
    const read = rows.filter(({ id }) => typeof id === 'string');
    return {
      lists: [read.flatMap((row) => decode(row) ?? [])],
      unreadable: rows.length - read.length,
      next: (document as { readonly next?: unknown }).next,
    };
  };
  const effects = probe({ parts: [{ name: 'list', document }], run, ...(isAsked && { isAsked }) });
  return new Map(effects.map((effect) => [effect.path, effect]));
}

const decides = (effects: ReadonlyMap<string, Effect>) =>
  Object.fromEntries([...effects].map(([path, effect]) => [path, effect.decides]));

it('names the field that decides each canonical one, whatever its row', () => {
  const rows = [
    { id: 'a', name: 'Mug', sku: 'M1' },
    { id: 'b', name: 'Pan', sku: 'P1' },
  ];
  const straight = probed({ rows }, ({ id, name, sku }) => ({ externalId: id, title: name, code: sku }));
  expect(decides(straight)).toEqual({ 'rows[].id': ['externalId'], 'rows[].name': ['title'], 'rows[].sku': ['code'] });
});

it('tells a decode that swaps two fields', () => {
  const rows = [{ id: 'a', name: 'Mug', sku: 'M1' }];
  const swapped = probed({ rows }, ({ id, name, sku }) => ({ externalId: id, title: sku, code: name }));
  expect(decides(swapped)).toMatchObject({ 'rows[].name': ['code'], 'rows[].sku': ['title'] });
});

it('leaves the example as it was', () => {
  const document = { rows: [{ id: 'a', tags: ['x', 'y'], at: { __class__: 'date', year: 2026, month: 1, day: 2 } }] };
  const before = JSON.stringify(document);
  probed(document, ({ id, tags }) => ({ id, tags }));
  expect(JSON.stringify(document)).toBe(before);
});

it.each([
  ['another text', 'Mug', (value: unknown) => value],
  ['another number', 3, (value: unknown) => Math.floor(Number(value))],
  ['a flipped truth value', false, (value: unknown) => value],
  ['a flipped truth value written as text', 'false', (value: unknown) => value === 'true'],
  ['another instant', '2026-11-20T08:00:00Z', (value: unknown) => new Date(String(value)).getTime() || null],
  ['another day', '2026-11-20', (value: unknown) => new Date(String(value)).getTime() || null],
  ['another amount as text', '12.50', (value: unknown) => Number(value) || null],
  ['another country', 'GB', (value: unknown) => (/^(GB|FR|DE)$/.test(String(value)) ? value : 'none')],
  ['another currency', 'gbp', (value: unknown) => (/^(gbp|eur)$/i.test(String(value)) ? value : 'none')],
  ['nothing at all', 'x', (value: unknown) => value !== undefined],
])('sees a field that shows only with %s', (_case, value, decode) => {
  const effects = probed({ rows: [{ id: 'a', value }] }, (row) => ({ seen: decode(row['value']) }));
  expect(effects.get('rows[].value')?.decides).toEqual(['seen']);
});

it('sees words of a closed list that stand elsewhere in the example', () => {
  const rows = [
    { id: 'a', state: 'OPEN' },
    { id: 'b', state: 'GONE' },
  ];
  const effects = probed({ rows }, ({ id, state }) => (state === 'GONE' ? null : { externalId: id }));
  expect(effects.get('rows[].state')).toMatchObject({ decides: [], selects: true });
});

it('sees what a field would do in a row that does not have it', () => {
  const rows = [
    { id: 'a', customer: 'c1' },
    { id: 'b', guest: 'Ada' },
  ];
  const effects = probed({ rows }, ({ customer, guest }) => ({
    buyer: customer === undefined ? (guest ?? null) : null,
  }));
  expect(effects.get('rows[].customer')?.decides).toEqual(['buyer']);
});

it('tells fields without which there is no record from those that may be missing', () => {
  const effects = probed({ rows: [{ id: 'a', name: 'Mug' }] }, ({ name }) => ({ title: name ?? null }));
  expect([effects.get('rows[].id')?.required, effects.get('rows[].name')?.required]).toEqual([true, false]);
});

it('tells what decides the next question', () => {
  const effects = probed({ rows: [{ id: 'a' }], next: 'cursor' }, () => ({}));
  expect(effects.get('next')).toMatchObject({ decides: [], leads: true });
});

it('tells fields that are checked and change nothing from those nobody asks for', () => {
  const rows = [{ id: 'a', kind: 'x', note: 'y' }];
  const effects = probed(
    { rows },
    ({ kind }) => (typeof kind === 'string' ? { one: 1 } : null),
    (path) => path !== 'rows[].note',
  );
  expect(effects.get('rows[].kind')).toMatchObject({ decides: [], checked: true });
  expect(effects.get('rows[].note')).toMatchObject({ decides: [], checked: false });
});

it('is not misled by lists that are sorted anew', () => {
  const rows = [
    { id: 'a', cost: 5, name: 'slow' },
    { id: 'b', cost: 6, name: 'quick' },
  ];
  const run = (): Outcome => {
    const sorted = rows.toSorted((one, other) => one.cost - other.cost);
    return { lists: [sorted.map(({ cost, name }) => ({ cost, name }))], unreadable: 0, next: null };
  };
  const effects = probe({ parts: [{ name: 'list', document: rows }], run });
  expect(effects.find(({ path }) => path === '[].cost')?.decides).toEqual(['cost']);
});

describe('what no field decides by itself', () => {
  it('is decided by the presence of a list', () => {
    const effects = probed({ rows: [{ id: 'a', returns: [{ uid: 'r' }] }] }, ({ returns }) => ({
      state: Array.isArray(returns) && returns.length > 0 ? 'RETURNED' : 'OPEN',
    }));
    expect(effects.get('rows[].returns[]')?.decides).toEqual(['state']);
    expect(effects.has('rows[].returns')).toBe(false);
  });

  it('is decided by the name of a place', () => {
    const hours = { monday: [{ open: '08:00' }], tuesday: [{ open: '09:00' }] };
    const effects = probed({ rows: [{ id: 'a', hours }] }, (row) => ({
      periods: Object.entries((row['hours'] ?? {}) as typeof hours).flatMap(([day, list]) =>
        (list ?? []).map(({ open }) => ({ weekday: day === 'monday' ? 1 : 2, open })),
      ),
    }));
    expect(effects.get('rows[].hours.monday')?.decides).toEqual(['periods[].weekday']);
    expect(effects.get('rows[].hours.monday[].open')?.decides).toEqual(['periods[].open']);
    expect(effects.has('rows[].hours')).toBe(false);
  });

  it('is decided by fields that must change together', () => {
    const rows = [{ id: 'a', base: 'GBP', tax: 'GBP' }];
    const effects = probed({ rows }, ({ base, tax }) => (base === tax ? { currency: base } : null));
    expect([effects.get('rows[].base')?.decides, effects.get('rows[].tax')?.decides]).toEqual([
      ['currency'],
      ['currency'],
    ]);
  });

  it('is decided by a field whose other values need another one beside it', () => {
    const rows: readonly { readonly id: string; readonly medium: string; readonly to: unknown }[] = [
      { id: 'a', medium: 'EMAIL', to: 'a@example.com' },
      { id: 'b', medium: 'SMS', to: '+441174960000' },
    ];
    const run = (): Outcome | null => {
      const fits = rows.every(({ medium, to }) => String(to).startsWith(medium === 'SMS' ? '+' : 'a@'));
      const sent = rows.map(({ medium, to }) => ({ how: medium === 'SMS' ? 'text' : 'mail', to }));
      return fits ? { lists: [sent], unreadable: 0, next: null } : null;
    };
    const effects = probe({ parts: [{ name: 'list', document: rows }], run });
    expect(effects.find(({ path }) => path === '[].medium')?.decides).toEqual(['how']);
  });
});

it('refuses an example that is refused as it is', () => {
  expect(() => probe({ parts: [], run: () => null })).toThrow('the example itself is refused');
});
