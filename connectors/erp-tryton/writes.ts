import { z } from 'zod';

import type { WriteDefinition } from '#connectors/kit/definition.ts';
import { upstreamError } from '#connectors/kit/failure.ts';
import type { WriteResult } from '#schema/model/outreach.ts';
import type { NewProfile, StockMove } from '#schema/model/writes.ts';

import { callModel, recordId, records, searchRead } from './rpc.ts';
import { isRecordId } from './settings.ts';
import type { TrytonSettings } from './settings.ts';

/** Ids of what was created. */
const created = z.array(recordId).min(1);
type Created = z.infer<typeof created>;

const location = z.object({
  id: recordId,
  type: z.string(),
  storage_location: recordId.nullish(),
  lost_found_location: recordId.nullish(),
  /** The unit of the product in the context. */
  quantity_uom: recordId.nullish(),
});

const MOVABLE: ReadonlySet<string> = new Set(['SOLD', 'RETURNED', 'LOST']);

/**
 * Moves as Tryton plans them: they count in its forecast, and in what is committed or incoming, at once; on hand changes
 * when somebody there does them. What suppliers bring belongs to a purchase, whose price makes the cost of the goods, and
 * what was counted to an inventory: neither is taken. Tryton remembers no keys, so that nothing is sent twice.
 */
export const stockMoveSink: WriteDefinition<StockMove, WriteResult, TrytonSettings, Created> = {
  // One transaction: all of them or none.
  max: 50,
  idempotency: 'none',
  timeoutMs: 4_000,
  keyOf: ({ key }) => key,
  groupOf: ({ externalId }) => externalId,
  accepts: ({ externalId, locationExternalId, kind, units }, { settings }) =>
    MOVABLE.has(kind) &&
    isRecordId(externalId) &&
    settings.warehouses.includes(locationExternalId) &&
    Number.isSafeInteger(units) &&
    units > 0,
  before: ([move], { settings }) =>
    searchRead(
      'stock.location',
      {
        domain: ['OR', ['id', 'in', settings.warehouses.map(Number)], ['type', 'in', ['customer', 'lost_found']]],
        fields: ['type', 'storage_location', 'lost_found_location', 'quantity_uom'],
        limit: 200,
        context: { product: Number(move?.externalId) },
      },
      settings,
    ),
  request: (moves, { settings }, read) => {
    const places = placesIn(read);
    const parameters = [moves.map((move) => toMove(move, places))];
    return callModel({ method: 'stock.move.create', parameters }, settings);
  },
  page: created,
  decode: (_ids, inputs) => inputs.map(() => ({ kind: 'ACCEPTED' })),
};

interface Places {
  readonly unit: number;
  readonly customer: number | undefined;
  readonly lost: number | undefined;
  readonly warehouses: ReadonlyMap<string, z.infer<typeof location>>;
}

function placesIn(read: unknown): Places {
  const list = z.array(location).safeParse(records.safeParse(read).data);
  const unit = list.data?.find(({ quantity_uom }) => typeof quantity_uom === 'number')?.quantity_uom;
  if (!list.success || unit === null || unit === undefined) throw unknownPlace('the unit of the product');
  return {
    unit,
    customer: list.data.find(({ type }) => type === 'customer')?.id,
    lost: list.data.find(({ type }) => type === 'lost_found')?.id,
    warehouses: new Map(list.data.map((row) => [String(row.id), row])),
  };
}

function toMove({ externalId, locationExternalId, kind, units }: StockMove, places: Places): object {
  const warehouse = places.warehouses.get(locationExternalId);
  const storage = warehouse?.storage_location ?? null;
  const away = kind === 'LOST' ? (warehouse?.lost_found_location ?? places.lost) : places.customer;
  if (storage === null || away === undefined) throw unknownPlace('where the goods go to or come from');
  const [from, to] = kind === 'RETURNED' ? [away, storage] : [storage, away];
  return {
    product: Number(externalId),
    uom: places.unit,
    quantity: units,
    from_location: from,
    to_location: to,
    // Required towards customers; the price of a sale is told by the sale.
    unit_price: { __class__: 'Decimal', decimal: '0' },
  };
}

function unknownPlace(what: string): Error {
  return upstreamError('UPSTREAM_CONTRACT', { message: `The answer does not name ${what}.` });
}

const country = z.object({ id: recordId });

/** People as parties. A code is taken once: a second party of the same code is refused by Tryton, and stays an error. */
export const profileSink: WriteDefinition<NewProfile, WriteResult, TrytonSettings, Created> = {
  // A code that is taken fails its own party alone.
  max: 1,
  idempotency: 'key',
  keyOf: ({ code }) => code,
  accepts: ({ code, givenName, familyName }) =>
    /^[\x21-\x7e]{1,100}$/.test(code) && `${givenName ?? ''}${familyName ?? ''}`.trim() !== '',
  before: ([profile], { settings }) => {
    const domain = [['code', '=', profile?.address?.country ?? '']];
    return searchRead('country.country', { domain, fields: ['code'], limit: 1 }, settings);
  },
  request: (profiles, { settings }, read) => {
    const countries = z.array(country).safeParse(read);
    if (!countries.success) throw unknownPlace('countries');
    const parameters = [profiles.map((profile) => toParty(profile, settings, countries.data[0]?.id ?? null))];
    return callModel({ method: 'party.party.create', parameters }, settings);
  },
  page: created,
  decode: (_ids, inputs) => inputs.map(() => ({ kind: 'DONE' })),
};

function toParty(profile: NewProfile, { customerCategory }: TrytonSettings, countryId: number | null): object {
  const { code, givenName, familyName, email, phone, address } = profile;
  const mechanisms = [
    { type: 'email', value: email },
    { type: 'mobile', value: phone },
  ].filter(({ value }) => value !== null);
  const written = address && {
    street: address.lines.join('\n'),
    postal_code: address.postalCode,
    city: address.city,
    country: countryId,
  };
  return {
    code,
    name: [givenName, familyName].filter((part) => part !== null).join(' '),
    contact_mechanisms: [['create', mechanisms]],
    ...(written && { addresses: [['create', [written]]] }),
    ...(customerCategory && { categories: [['add', [customerCategory]]] }),
  };
}
