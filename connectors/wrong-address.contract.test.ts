import { describe, expect, it } from 'vitest';

import { systemClock } from '#platform/clock.ts';
import { carrierShipengine } from '#connectors/carrier-shipengine/connector.ts';
import { crmHubspot } from '#connectors/crm-hubspot/connector.ts';
import { connectSystem } from '#connectors/kit/connect-system.ts';
import type { ConnectorDefinition } from '#connectors/kit/definition.ts';
import { socialPinterest } from '#connectors/social-pinterest/connector.ts';
import { codeOf, scope } from '#test/support/kit-system.ts';

// A 404 means "no such record" only in the vendor's own words. A wrong URL or a proxy says 404 too: an erasure would read
// as done, a parcel as unknown.

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const proxy = (): Response => new Response('<html><h1>404 Not Found</h1><hr>nginx</html>', { status: 404 });
const other = (): Response => Response.json({ status: 404, error: 'Not Found', path: '/' }, { status: 404 });

interface Setup {
  readonly credentials: Readonly<Record<string, string>>;
  readonly options?: Record<string, string | string[]>;
  readonly answer: () => Response;
}

function at<S>(definition: ConnectorDefinition<S>, { credentials, options = {}, answer }: Setup) {
  return connectSystem(definition, {
    config: { id: 'system', connector: definition.id, url: 'http://vendor.test', credentials, options },
    clock: systemClock,
    logger: silent,
    trace: () => {},
    fetch: () => Promise.resolve(answer()),
  });
}

const hubspot = (answer: () => Response) => at(crmHubspot, { credentials: { token: 't' }, answer });
const shipengine = (answer: () => Response) =>
  at(carrierShipengine, { credentials: { apiKey: 'k' }, options: { carrierIds: ['se-1'] }, answer });
const pinterest = (answer: () => Response) =>
  at(socialPinterest, {
    credentials: { accessToken: 't' },
    options: { adAccountId: '1', recipient: 'pinterest' },
    answer,
  });

const CASES: readonly (readonly [string, (answer: () => Response) => Promise<unknown>, () => Response, unknown])[] = [
  [
    'an erasure at HubSpot',
    async (answer) => (await hubspot(answer).erasureSink?.eraseProfiles([{ externalId: '101' }], scope()))?.[0],
    () =>
      Response.json({ status: 'error', category: 'OBJECT_NOT_FOUND', message: 'resource not found' }, { status: 404 }),
    { kind: 'DONE' },
  ],
  [
    'a parcel at ShipEngine',
    async (answer) => {
      const parcel = { carrier: 'dpd', trackingNumber: 'TR1' };
      return (await shipengine(answer).tracking?.trackingOf([parcel], scope()))?.[0];
    },
    () =>
      Response.json(
        { errors: [{ error_source: 'carrier', error_code: 'unspecified', message: 'x' }] },
        { status: 404 },
      ),
    null,
  ],
  [
    'service points at ShipEngine',
    async (answer) => {
      const place = { country: 'GB', postalCode: 'LS1 1AA' };
      return (await shipengine(answer).servicePoints?.servicePointsNear([place], scope()))?.[0];
    },
    () =>
      Response.json(
        { errors: [{ error_source: 'shipengine', error_code: 'unspecified', message: 'x' }] },
        { status: 404 },
      ),
    [],
  ],
  [
    'a customer list at Pinterest',
    async (answer) => (await pinterest(answer).audiences?.audiencesById(['643'], scope()))?.[0],
    () => Response.json({ code: 4_196, message: 'Customer list not found.' }, { status: 404 }),
    null,
  ],
];

describe.each(CASES)('%s', (_name, ask, vendors, known) => {
  it('is settled by the vendor alone', async () => {
    expect(await ask(vendors)).toEqual(known);
  });

  it.each([
    ['a proxy', proxy],
    ['another server', other],
  ])('is not settled by the 404 of %s', async (_whose, answer) => {
    expect(codeOf(await ask(answer))).toBe('UPSTREAM_CONTRACT');
  });
});
