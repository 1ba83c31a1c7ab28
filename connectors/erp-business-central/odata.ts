import { z } from 'zod';

import type { FollowUp } from '#connectors/kit/definition.ts';
import { rows } from '#connectors/kit/rows.ts';
import { readWatermark } from '#connectors/kit/watermark.ts';
import { queryOfLink } from '#connectors/kit/wire.ts';
import type { WireRequest, WireResponse } from '#connectors/kit/wire.ts';

import type { BusinessCentralSettings } from './settings.ts';

/** One OData answer: the rows, and a link when the server cut the page. */
export const odataPage = z.object({ value: rows, '@odata.nextLink': z.string().optional() });
export type OdataPage = z.infer<typeof odataPage>;

/** The path of an entity set of the configured company. Source: Business Central API (v2.0), "API endpoint structure". */
export function entitySet(name: string, { environment, companyId }: BusinessCentralSettings): string {
  return `/v2.0/${encodeURIComponent(environment)}/api/v2.0/companies(${companyId})/${name}`;
}

/** A string literal: single quotes doubled, so that a key can never end the literal and add a condition. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export function anyOf(conditions: readonly string[]): string {
  return conditions.join(' or ');
}

/** The next page of the same read: only the link's query is followed, never its host or path. */
export function nextPage(body: OdataPage, previous: WireRequest): FollowUp | null {
  const link = body['@odata.nextLink'];
  const query = link === undefined ? null : queryOfLink(link);
  return query === null ? null : { request: { ...previous, query } };
}

/** A page of changes after the cursor's watermark, oldest first; the token of a run is its next link. */
export function changesRequest(cursor: string | null, set: WireRequest, pageSize: number): WireRequest {
  const { since, token } = readWatermark(cursor);
  const request = { ...set, headers: { prefer: `odata.maxpagesize=${pageSize}` } };
  const next = token === null ? null : queryOfLink(token);
  if (next !== null) return { ...request, query: next };
  return {
    ...request,
    query: {
      ...set.query,
      $filter: since === null ? undefined : `lastModifiedDateTime gt ${since}`,
      $orderby: 'lastModifiedDateTime',
    },
  };
}

/** Business Central refuses a skip token that ended with 400, or 410 where the page is gone; no code of its own tells it apart. */
export function tokenExpired({ status }: WireResponse): boolean {
  return status === 400 || status === 410;
}
