import { z } from 'zod';

import type { FeedDefinition } from '#connectors/kit/definition.ts';
import type { SignalDraft } from '#connectors/kit/draft.ts';
import { readRows, rows, upserts } from '#connectors/kit/rows.ts';
import { instantOf, textOf } from '#connectors/kit/text.ts';
import { readWatermark } from '#connectors/kit/watermark.ts';

import type { PinterestSettings } from './settings.ts';

const text = z.string().nullish();
const pin = z.object({
  id: z.string().min(1),
  board_id: text,
  title: text,
  link: text,
  created_at: text,
  creative_type: text,
  has_been_promoted: z.boolean().nullish(),
});

/** A web address; null for anything else a pin may lead to. */
function linkOf(value: string | null | undefined): string | null {
  const url = URL.parse(value ?? '');
  return url !== null && /^https?:$/.test(url.protocol) ? url.href : null;
}

function decodePin(row: z.infer<typeof pin>): SignalDraft {
  const createdAt = instantOf(row.created_at);
  return {
    externalId: row.id,
    kind: (textOf(row.creative_type) ?? 'REGULAR').toLowerCase(),
    collectionId: textOf(row.board_id),
    title: textOf(row.title),
    link: linkOf(row.link),
    createdAt,
    promoted: row.has_been_promoted ?? null,
    stamp: { asOf: createdAt, reference: row.id, sequence: null },
  };
}

const page = z.object({ items: rows, bookmark: text });
type Page = z.infer<typeof page>;

/** The account's own pins with the boards they are on. Pinterest tells no changes: each run lists them all. */
export const signalFeed: FeedDefinition<SignalDraft, PinterestSettings, Page> = {
  feed: 'pins',
  intervalMs: 3_600_000,
  request: (cursor) => ({
    operation: 'pins/list',
    method: 'GET',
    path: '/pins',
    query: { page_size: 250, bookmark: readWatermark(cursor).token ?? undefined },
  }),
  page,
  decode: (body) => {
    const { values, rejected } = readRows(pin, body.items, decodePin);
    const token = textOf(body.bookmark);
    const cursor = JSON.stringify({ since: null, startedAt: null, seen: null, token });
    return { cursor, done: token === null, changes: upserts(values), rejected };
  },
  expired: ({ status }) => status === 400,
};
