import { describe, expect, it } from 'vitest';

import { systemClock } from '#platform/clock.ts';
import { carrierShipengine } from '#connectors/carrier-shipengine/connector.ts';
import { connectSystem } from '#connectors/kit/connect-system.ts';
import type { ConnectorDefinition } from '#connectors/kit/definition.ts';
import { socialPinterest } from '#connectors/social-pinterest/connector.ts';
import type { Drift } from '#connectors/kit/runtime.ts';
import { scope } from '#test/support/kit-system.ts';

// Vendors add words to their lists: the value is then UNKNOWN, its provenance keeps the word, and the drift is counted.

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

interface Setup {
  readonly credentials: Readonly<Record<string, string>>;
  readonly options?: Record<string, string | string[]>;
  readonly answer: unknown;
}

function at<S>(definition: ConnectorDefinition<S>, { credentials, options = {}, answer }: Setup) {
  const drifts: Drift[] = [];
  const system = connectSystem(definition, {
    config: { id: 'system', connector: definition.id, url: 'http://vendor.test', credentials, options },
    clock: systemClock,
    logger: silent,
    trace: () => {},
    onDrift: (drift) => drifts.push(drift),
    fetch: () => Promise.resolve(Response.json(answer)),
  });
  return { system, drifts };
}

const unknownWith = (rawValue: string) => ({
  state: 'UNKNOWN',
  vendorState: rawValue,
  provenance: { source: { rawValue } },
});

describe('a word nobody knows', () => {
  it('of a parcel', async () => {
    const answer = { tracking_number: 'TR1', status_code: 'ZZ', events: [] };
    const { system, drifts } = at(carrierShipengine, {
      credentials: { apiKey: 'k' },
      options: { carrierIds: ['se-1'] },
      answer,
    });
    const parcels = await system.tracking?.trackingOf([{ carrier: 'dpd', trackingNumber: 'TR1' }], scope());
    expect(parcels).toMatchObject([unknownWith('ZZ')]);
    expect(drifts).toEqual([{ system: 'system', operation: 'get_tracking_log', kind: 'word' }]);
  });

  it('of a customer list', async () => {
    const { system, drifts } = at(socialPinterest, {
      credentials: { accessToken: 't' },
      options: { adAccountId: '1', recipient: 'pinterest' },
      answer: { id: '643', status: 'SHRINKING' },
    });
    expect(await system.audiences?.audiencesById(['643'], scope())).toMatchObject([unknownWith('SHRINKING')]);
    expect(drifts).toEqual([{ system: 'system', operation: 'customer_lists/get', kind: 'word' }]);
  });
});

it('keeps a word that is known as well', async () => {
  const { system } = at(socialPinterest, {
    credentials: { accessToken: 't' },
    options: { adAccountId: '1', recipient: 'pinterest' },
    answer: { id: '643', status: 'UPLOADING' },
  });
  expect(await system.audiences?.audiencesById(['643'], scope())).toMatchObject([
    { state: 'PROCESSING', provenance: { source: { rawValue: 'UPLOADING' } } },
  ]);
});
