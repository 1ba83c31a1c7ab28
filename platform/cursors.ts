import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';

import { z } from 'zod';

import { MortarError } from './errors.ts';

const payloadSchema = z.array(z.union([z.string().max(200), z.number(), z.null()])).max(8);

/** What a cursor carries: a position in a sort order, never personal data. */
export type CursorPayload = z.infer<typeof payloadSchema>;

export interface Cursors {
  /** Opaque text a client hands back as `after`; `list` binds it to one list so that it cannot be used on another. */
  readonly seal: (list: string, payload: CursorPayload) => string;
  /** @throws {MortarError} BAD_USER_INPUT when the text was not sealed here for this list. */
  readonly open: (list: string, cursor: string) => CursorPayload;
}

const TAG_BYTES = 12;

/** Authenticated list cursors; the same key opens them in every process. */
export function createCursors(key: Uint8Array): Cursors {
  // Made once: a key given as bytes is copied and checked for every cursor, five times the cost of the hash itself.
  const secret = createSecretKey(key);
  const tagOf = (list: string, body: string): Buffer =>
    createHmac('sha256', secret).update(`${list}\n${body}`).digest().subarray(0, TAG_BYTES);

  return {
    seal(list, payload) {
      const body = JSON.stringify(payload);
      return Buffer.concat([tagOf(list, body), Buffer.from(body)]).toString('base64url');
    },
    open(list, cursor) {
      const invalid = new MortarError('BAD_USER_INPUT', {
        message: `The cursor given as \`after\` does not belong to this list: use an endCursor of the same list.`,
      });
      if (cursor.length > 2_000) throw invalid;
      const bytes = Buffer.from(cursor, 'base64url');
      if (bytes.length <= TAG_BYTES) throw invalid;
      const body = bytes.subarray(TAG_BYTES).toString();
      if (!timingSafeEqual(bytes.subarray(0, TAG_BYTES), tagOf(list, body))) throw invalid;
      // The tag proves that the text was made above, so it parses.
      return payloadSchema.parse(JSON.parse(body));
    },
  };
}
