import { z } from 'zod';

import type { ConnectorDefinition } from '#connectors/kit/definition.ts';

import { ratesFor } from './rates.ts';
import { servicePointsNear } from './service-points.ts';
import { shipengineSettings } from './settings.ts';
import type { ShipengineSettings } from './settings.ts';
import { trackingOf } from './tracking.ts';

/**
 * ShipEngine: what carriers would charge, where parcels are, where people may fetch them.
 * @source ShipEngine API 1.1.202604070904 (OpenAPI): rates/estimate, tracking, service_points/list, carriers
 */
export const carrierShipengine: ConnectorDefinition<ShipengineSettings> = {
  id: 'carrier-shipengine',
  vendor: 'ShipEngine',
  apiVersion: '1.1.202604070904',
  settings: shipengineSettings,
  auth: { kind: 'headers', headers: ({ apiKey }) => ({ 'api-key': apiKey }) },
  limits: {
    concurrency: 8,
    pauseMs: 5_000,
    rules: ({ callsPerMinute }) => [{ kind: 'window', name: 'account', limit: callsPerMinute, windowMs: 60_000 }],
  },
  capabilities: ['rates:read', 'tracking:read', 'servicePoints:read'],
  check: {
    request: () => ({ operation: 'list_carriers', method: 'GET', path: '/v1/carriers' }),
    page: z.object({ carriers: z.array(z.unknown()) }),
  },
  ports: { rates: ratesFor, tracking: trackingOf, servicePoints: servicePointsNear },
};
