import type { LimitRule, Observed } from '#connectors/kit/definition.ts';
import type { WireResponse } from '#connectors/kit/wire.ts';

import type { HubspotSettings } from './settings.ts';

/**
 * HubSpot counts a private app's calls in ten seconds: 100 in Free and Starter accounts, 190 in higher ones, 250 with the
 * capacity pack; and searches of the whole account in one second: five.
 * @source developers.hubspot.com, "API usage guidelines and limits"; changelog "Increasing our API limits"
 */
export function hubspotRates({ callsPer10Seconds, searchesPerSecond }: HubspotSettings): readonly LimitRule[] {
  return [
    { kind: 'window', name: 'app', limit: callsPer10Seconds, windowMs: 10_000 },
    {
      kind: 'window',
      name: 'search',
      limit: searchesPerSecond,
      windowMs: 1_000,
      operations: ['POST contacts/search'],
    },
  ];
}

/** HubSpot tells what is left of the ten seconds in every answer but those of searches. */
export function observeHubspot({ headers }: WireResponse): readonly Observed[] {
  const remaining = countOf(headers['x-hubspot-ratelimit-remaining']);
  const limit = countOf(headers['x-hubspot-ratelimit-max']);
  if (remaining === null || headers['x-hubspot-ratelimit-interval-milliseconds'] !== '10000') return [];
  return [{ rule: 'app', remaining, ...(limit === null || limit === 0 ? {} : { limit }) }];
}

function countOf(header: string | undefined): number | null {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) : null;
}
