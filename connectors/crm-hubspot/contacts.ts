import { z } from 'zod';

import type { BatchReadDefinition, FeedDefinition } from '#connectors/kit/definition.ts';
import type { ProfileDraft } from '#connectors/kit/draft.ts';
import { upstreamError } from '#connectors/kit/failure.ts';
import { readRows, rows, upserts } from '#connectors/kit/rows.ts';
import { advance, readWatermark, restartRun } from '#connectors/kit/watermark.ts';
import type { WireRequest } from '#connectors/kit/wire.ts';

import type { MortarError } from '#platform/errors.ts';

import { CONTACT_PROPERTIES, changedAtOf, contact, decodeContact } from './contact.ts';
import type { HubspotSettings } from './settings.ts';

const batchAnswer = z.object({
  results: rows,
  errors: z
    .array(
      z.object({ category: z.string().nullish(), context: z.object({ ids: z.array(z.string()).nullish() }).nullish() }),
    )
    .nullish(),
});
type BatchAnswer = z.infer<typeof batchAnswer>;

/** Record ids are numbers; any other text would make HubSpot refuse the whole batch. */
export const isContactId = (id: string): boolean => /^\d{1,20}$/.test(id);

/** The batch read of contacts with these properties. All three lists are required, also the empty one. */
export function batchRead(ids: readonly string[], properties: readonly string[]): WireRequest {
  return {
    operation: 'POST contacts/batch/read',
    method: 'POST',
    path: '/crm/v3/objects/contacts/batch/read',
    json: { inputs: ids.map((id) => ({ id })), properties, propertiesWithHistory: [] },
  };
}

/** Contacts by id. HubSpot answers 200, or 207 when some ids failed; ids it does not know are absent or OBJECT_NOT_FOUND. */
export const profilesById: BatchReadDefinition<string, ProfileDraft, HubspotSettings, BatchAnswer> = {
  max: 100,
  keyOf: (id) => id,
  accepts: isContactId,
  request: (ids) => batchRead(ids, CONTACT_PROPERTIES),
  page: batchAnswer,
  decode: (bodies) => {
    const { values, rejected } = readRows(
      contact,
      bodies.flatMap((body) => body.results),
      decodeContact,
    );
    const failed = bodies
      .flatMap((body) => body.errors ?? [])
      .filter((error) => error.category !== 'OBJECT_NOT_FOUND')
      .flatMap((error) => error.context?.ids ?? []);
    const refused = upstreamError('UPSTREAM_UNAVAILABLE', { message: 'HubSpot could not read this contact.' });
    const answers = new Map<string, ProfileDraft | MortarError>(failed.map((id) => [id, refused]));
    for (const value of values) answers.set(value.externalId, value);
    return { values: answers, rejected };
  },
  absent: null,
  freshnessMs: null,
};

const pageAnswer = z.object({
  results: rows,
  paging: z.object({ next: z.object({ after: z.string().min(1) }).nullish() }).nullish(),
});
type PageAnswer = z.infer<typeof pageAnswer>;

const PAGE_SIZE = 100;
/** A search answers its first 10,000 rows only; the next search then begins at the last change seen. */
const SEARCH_LIMIT = 10_000;

function listRequest(after: string | null): WireRequest {
  return {
    operation: 'GET contacts',
    method: 'GET',
    path: '/crm/v3/objects/contacts',
    query: { limit: PAGE_SIZE, properties: CONTACT_PROPERTIES.join(','), after: after ?? undefined },
  };
}

function searchRequest(since: string, after: string | null): WireRequest {
  const filter = { propertyName: 'lastmodifieddate', operator: 'GT', value: String(Date.parse(since)) };
  return {
    operation: 'POST contacts/search',
    method: 'POST',
    path: '/crm/v3/objects/contacts/search',
    json: {
      filterGroups: [{ filters: [filter] }],
      sorts: ['lastmodifieddate'],
      properties: CONTACT_PROPERTIES,
      limit: PAGE_SIZE,
      ...(after === null ? {} : { after }),
    },
  };
}

/** A full search may have cut rows of one millisecond: the next one reads that millisecond again, if it moved on at all. */
function oneEarlier(cursor: string, before: string): string {
  const run = readWatermark(cursor);
  const since = new Date(Date.parse(run.since ?? before) - 1).toISOString();
  return since > before ? JSON.stringify({ ...run, since }) : cursor;
}

/** Every contact by the list, which has no limit; then the changed ones by search, which has one. Deletions are not listed. */
export const profileFeed: FeedDefinition<ProfileDraft, HubspotSettings, PageAnswer> = {
  feed: 'contacts',
  intervalMs: 30_000,
  request: (cursor) => {
    const { since, token } = readWatermark(cursor);
    return since === null ? listRequest(token) : searchRequest(since, token);
  },
  page: pageAnswer,
  decode: (body, cursor, { nowMs }) => {
    const { since } = readWatermark(cursor);
    const read = readRows(contact, body.results, (row) => ({ value: decodeContact(row), changedAt: changedAtOf(row) }));
    const after = body.paging?.next?.after ?? null;
    const isFull = since !== null && after !== null && Number(after) + PAGE_SIZE > SEARCH_LIMIT;
    const changedAt = read.values.map((row) => row.changedAt);
    const next = advance(cursor, { changedAt, token: isFull ? null : after }, nowMs);
    return {
      cursor: isFull ? oneEarlier(next.cursor, since) : next.cursor,
      done: next.done && !isFull,
      changes: upserts(read.values.map((row) => row.value)),
      rejected: read.rejected,
    };
  },
  expired: ({ status }) => status === 400,
  restart: restartRun,
};
