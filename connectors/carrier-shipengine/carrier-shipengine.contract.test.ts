import { describe, expect, it } from 'vitest';

import { checkWire, contextOf } from '#test/support/connector-contract.ts';
import { contractsAvailable, loadContract } from '#test/support/contracts.ts';

import { carrierShipengine } from './connector.ts';
import { ratesFor } from './rates.ts';
import { servicePointsNear } from './service-points.ts';
import { trackingOf } from './tracking.ts';

const context = contextOf(carrierShipengine, {
  credentials: { apiKey: 'k' },
  options: { carrierIds: ['se-1', 'se-2'] },
});
const end = (postalCode: string) => ({ country: 'GB', postalCode, city: 'Leeds', region: 'Yorkshire' });
const query = {
  from: end('LS1 1AA'),
  to: end('SW1Y 4JH'),
  weightGrams: 1_500,
  sizeMillimeters: { length: 300, width: 200, height: 105 },
  shipAt: '2026-11-24T09:00:00.000Z',
};
const parcel = { carrier: 'royal_mail', trackingNumber: 'TR1' };
const place = { country: 'GB', postalCode: 'LS1 1AA' };

const gbp = (amount: number) => ({ currency: 'gbp', amount });
const rate = {
  carrier_id: 'se-1',
  carrier_code: 'dpd',
  service_code: 'dpd_next_day',
  service_type: 'DPD Next Day',
  shipping_amount: gbp(7.1),
  insurance_amount: gbp(0),
  confirmation_amount: gbp(0.2),
  other_amount: gbp(0.05),
  tax_amount: gbp(1.47),
  delivery_days: 1,
  validation_status: 'valid',
  guaranteed_service: true,
  trackable: true,
};

describe.skipIf(!contractsAvailable())('by the contract of ShipEngine', () => {
  it('emits valid requests', async () => {
    const contract = await loadContract('shipengine/shipengine.json');
    for (const request of [
      ratesFor.request([query], context),
      ratesFor.request([{ ...query, sizeMillimeters: null }], context),
      trackingOf.request([parcel], context),
      servicePointsNear.request([place], context),
      carrierShipengine.check!.request(context),
    ]) {
      expect([request.operation, checkWire(contract, request)]).toEqual([request.operation, []]);
    }
  });
});

describe('rates', () => {
  const read = (rows: readonly unknown[]) => [...ratesFor.decode([[...rows]], [query], context).values.values()][0];

  it('add up shipping, insurance, confirmation, surcharges and tax, exactly, cheapest first', () => {
    const cheap = {
      ...rate,
      service_code: 'slow',
      shipping_amount: gbp(0.1),
      tax_amount: gbp(0.2),
      other_amount: gbp(0),
    };
    expect(read([rate, cheap])).toMatchObject([
      { externalId: 'slow', total: { amount: '0.50', currency: 'GBP' } },
      { externalId: 'dpd_next_day', carrier: 'dpd', total: { amount: '8.82', currency: 'GBP' }, deliveryDays: 1 },
    ]);
  });

  it('are ranked within their currency: a yen is no pound', () => {
    const priced = (service: string, currency: string, amount: number) => {
      const of = (value: number) => ({ currency, amount: value });
      const none = { insurance_amount: of(0), confirmation_amount: of(0), other_amount: of(0), tax_amount: of(0) };
      return { ...rate, ...none, service_code: service, shipping_amount: of(amount) };
    };
    const rates = [priced('a', 'gbp', 9), priced('b', 'jpy', 5), priced('c', 'gbp', 2), priced('d', 'jpy', 3)];
    expect(read(rates)).toMatchObject([
      { externalId: 'c', total: { currency: 'GBP' } },
      { externalId: 'a', total: { currency: 'GBP' } },
      { externalId: 'd', total: { currency: 'JPY' } },
      { externalId: 'b', total: { currency: 'JPY' } },
    ]);
  });

  it('leave out what the carrier would not sell and what is in several currencies', () => {
    const mixed = { ...rate, tax_amount: { currency: 'eur', amount: 1 } };
    expect(read([{ ...rate, validation_status: 'invalid' }, mixed])).toEqual([]);
  });

  it('answer no empty list where none of the rates could be read', () => {
    expect(ratesFor.decode([[{ ...rate, shipping_amount: '7.10' }]], [query], context)).toEqual({
      values: new Map(),
      rejected: 1,
    });
  });
});

describe('tracking', () => {
  it('reads state, dates and events, newest first, and not who signed', () => {
    const body = {
      tracking_number: 'TR1',
      status_code: 'DE',
      actual_delivery_date: '2026-11-20T10:00:00Z',
      events: [
        { occurred_at: '2026-11-18T08:00:00Z', status_code: 'AC', description: 'Accepted', country_code: 'GB' },
        { occurred_at: '2026-11-20T10:00:00Z', status_code: 'DE', signer: 'Ada Lovelace', city_locality: 'Leeds' },
      ],
    };
    const { values } = trackingOf.decode([body], [parcel], context);
    const [value] = [...values.values()];
    expect(value).toMatchObject({
      externalId: 'TR1',
      carrier: 'royal_mail',
      state: 'DELIVERED',
      deliveredAt: '2026-11-20T10:00:00.000Z',
      events: [{ state: 'DELIVERED', city: 'Leeds' }, { state: 'ACCEPTED' }],
    });
    expect(JSON.stringify(value)).not.toContain('Lovelace');
  });

  it.each([
    ['XX', 'UNKNOWN'],
    ['SP', 'AT_SERVICE_POINT'],
    ['NY', 'NOT_YET_IN_SYSTEM'],
  ])('maps %s to %s', (code, state) => {
    const { values } = trackingOf.decode([{ tracking_number: 'TR1', status_code: code }], [parcel], context);
    expect([...values.values()]).toMatchObject([{ state, vendorState: code }]);
  });
});

describe('service points', () => {
  it('are read with hours and kind, nearest first', () => {
    const point = { service_point_id: 'P1', carrier_code: 'dpd', distance_in_meters: 900, type: 'pudo' };
    const locker = {
      ...point,
      service_point_id: 'L1',
      distance_in_meters: 100,
      type: 'locker',
      country_code: 'GB',
      hours_of_operation: { sunday: [{ open: '10:30', close: '16:00' }], monday: [{ open: 'soon', close: '17:00' }] },
    };
    const { values } = servicePointsNear.decode([{ service_points: [point, locker] }], [place], context);
    expect([...values.values()]).toMatchObject([
      [
        { externalId: 'L1', kind: 'LOCKER', openingPeriods: [{ weekday: 7, opensAt: '10:30', closesAt: '16:00' }] },
        { externalId: 'P1', kind: 'SERVICE_POINT', openingPeriods: [] },
      ],
    ]);
  });
});
