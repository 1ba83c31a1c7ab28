import { createHash } from 'node:crypto';

import { z } from 'zod';

import type { BatchReadDefinition, Context, WriteDefinition } from '#connectors/kit/definition.ts';
import type { AudienceDraft } from '#connectors/kit/draft.ts';
import { readRow } from '#connectors/kit/rows.ts';
import { textOf, wordOf } from '#connectors/kit/text.ts';
import type { AudienceWrite, WriteResult } from '#schema/model/outreach.ts';

import type { PinterestSettings } from './settings.ts';

const list = z.object({
  id: z.string().min(1),
  name: z.string().nullish(),
  status: z.string().nullish(),
  num_uploaded_user_records: z.number().int().nullish(),
  updated_time: z.number().nullish(),
});

const refusal = z.object({ code: z.number().int(), message: z.string() });

const STATES: Readonly<Record<string, AudienceDraft['state']>> = {
  READY: 'READY',
  PROCESSING: 'PROCESSING',
  UPLOADING: 'PROCESSING',
  TOO_SMALL: 'TOO_SMALL',
};

const answer = z.looseObject({});
type Answer = z.infer<typeof answer>;

/** Ids are numbers; any other text would be part of the path. */
const isListId = (id: string): boolean => /^\d{1,20}$/.test(id);

const listPath = (id: string, { adAccountId }: PinterestSettings): string =>
  `/ad_accounts/${adAccountId}/customer_lists/${encodeURIComponent(id)}`;

/** Unix seconds as an instant; null when absent or absurd. */
function secondsOf(value: number | null | undefined): string | null {
  if (value === null || value === undefined || !(value > 0 && value < 4e9)) return null;
  return new Date(value * 1_000).toISOString();
}

function decodeList(row: z.infer<typeof list>): AudienceDraft {
  const changedAt = secondsOf(row.updated_time);
  return {
    externalId: row.id,
    name: textOf(row.name),
    state: wordOf(STATES, row.status) ?? 'UNKNOWN',
    vendorState: row.status ?? '',
    uploadedCount: row.num_uploaded_user_records ?? null,
    stamp: { asOf: changedAt, reference: row.id, sequence: changedAt },
  };
}

/** Customer lists by id; one list a call. */
export const audiencesById: BatchReadDefinition<string, AudienceDraft, PinterestSettings, Answer> = {
  max: 1,
  keyOf: (id) => id,
  accepts: isListId,
  request: ([id = ''], { settings }) => ({
    operation: 'customer_lists/get',
    method: 'GET',
    path: listPath(id, settings),
  }),
  page: answer,
  // Pinterest's own words: another server's 404 (a wrong URL, a proxy) says nothing of the list.
  missing: ({ status, body }) => status === 404 && refusal.safeParse(body).success,
  decode: (bodies, [id = '']) => {
    if (bodies.length === 0) return { values: new Map(), rejected: 0 };
    const row = readRow(list, bodies[0]);
    return { values: new Map([[id, row instanceof Error ? row : decodeList(row)]]), rejected: 0 };
  },
  absent: null,
  freshnessMs: null,
};

/** An opt-in counts for so long after the ledger was asked: a withdrawal since then must stop the next sending. */
const FRESH_MS = 60_000;
/** Clocks of two processes may differ by so much. */
const SKEW_MS = 5_000;

function mayShare({ optIn }: AudienceWrite, { settings, nowMs }: Context<PinterestSettings>): boolean {
  if (optIn === null || optIn.purpose !== 'THIRD_PARTY_SHARING' || optIn.recipient !== settings.recipient) return false;
  const ageMs = nowMs - optIn.decidedAtMs;
  return ageMs >= -SKEW_MS && ageMs <= FRESH_MS;
}

/** Pinterest matches by the SHA-256 of the lower-case address: the address itself never leaves. */
function hashedEmail(email: string): string {
  return createHash('sha256').update(email.trim().toLowerCase()).digest('hex');
}

/** People in and out of customer lists. Nobody gets in without a fresh opt-in for this recipient; everybody gets out. */
export const audienceSink: WriteDefinition<AudienceWrite, WriteResult, PinterestSettings, Answer> = {
  max: 1_000,
  idempotency: 'natural',
  keyOf: ({ list: id, email }) => `${id} ${email.trim().toLowerCase()}`,
  groupOf: ({ list: id, operation }) => `${operation} ${id}`,
  accepts: ({ list: id, email }) => isListId(id) && /^[^\s@]{1,64}@[^\s@]{1,255}$/.test(email.trim()),
  refuses: (input, context) => (input.operation === 'REMOVE' || mayShare(input, context) ? null : 'CONSENT_REQUIRED'),
  request: (inputs, { settings }) => ({
    operation: 'customer_lists/update',
    method: 'PATCH',
    path: listPath(inputs[0]?.list ?? '', settings),
    json: {
      operation_type: inputs[0]?.operation ?? 'REMOVE',
      records: inputs.map(({ email }) => hashedEmail(email)).join(','),
    },
  }),
  page: answer,
  decode: (_body, inputs) => inputs.map(() => ({ kind: 'ACCEPTED' })),
};
