import type { ConnectorDefinition } from '#connectors/kit/definition.ts';

import { audienceSink, audiencesById } from './audiences.ts';
import { signalFeed } from './pins.ts';
import { pinterestSettings } from './settings.ts';
import type { PinterestSettings } from './settings.ts';

/**
 * Pinterest: pins as signals, and customer lists nobody gets into without having agreed to it.
 * @source Pinterest API v5 (5.23.0): pins/list, customer_lists/get, customer_lists/update
 */
export const socialPinterest: ConnectorDefinition<PinterestSettings> = {
  id: 'social-pinterest',
  vendor: 'Pinterest',
  apiVersion: 'v5 (5.23.0)',
  settings: pinterestSettings,
  auth: { kind: 'headers', headers: ({ accessToken }) => ({ authorization: `Bearer ${accessToken}` }) },
  limits: {
    concurrency: 4,
    pauseMs: 5_000,
    rules: ({ callsPerMinute, writesPerMinute }) => [
      { kind: 'window', name: 'second', limit: 100, windowMs: 1_000 },
      { kind: 'window', name: 'app', limit: callsPerMinute, windowMs: 60_000 },
      {
        kind: 'window',
        name: 'writes',
        operations: ['customer_lists/update'],
        limit: writesPerMinute,
        windowMs: 60_000,
      },
    ],
  },
  capabilities: ['signals:feed', 'audiences:read', 'audiences:write'],
  ports: { signalFeed, audiences: audiencesById, audienceSink },
};
