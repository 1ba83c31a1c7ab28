import { setTimeout as pause } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { z } from 'zod';

import { CONTEXT_HEADER, type SignContext } from '#platform/context-token.ts';
import { MortarError } from '#platform/errors.ts';
import type { Logger } from '#platform/log.ts';
import type { SourceWatch } from '#platform/subgraph.ts';

/** A subgraph of ours in another process. */
export interface WatchedSubgraph {
  readonly name: string;
  /** Where it answers fetches; source streams are beside it. */
  readonly url: URL;
  readonly sign: SignContext;
  readonly logger: Pick<Logger, 'warn'>;
}

/** Source streams of subgraphs of other processes. */
export interface RemoteWatches {
  /** See Subgraph.watch; comes again by itself when the connection breaks, and then tells that keys may have been missed. */
  readonly open: (subgraph: WatchedSubgraph, watch: SourceWatch) => Promise<() => void>;
  readonly close: () => Promise<void>;
}

/** Streams are kept alive by comments every 15 s. */
const SILENCE_MS = 40_000;
const CONNECT_MS = 5_000;
/** The first message says that a source is open; ours send it at once. */
const OPEN_MS = 10_000;
/** What a source may be told at once: 200 keys, and some room. */
const MAX_MESSAGE_CHARACTERS = 200_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;
/** The request whose rights open the source has no time of its own. */
const TIME_LEFT_MS = 60_000;

export function createRemoteWatches({ openMs = OPEN_MS }: { readonly openMs?: number } = {}): RemoteWatches {
  // Not the connections of fetches: these stay taken for an hour.
  const agent = new Agent({
    connections: null,
    pipelining: 1,
    bodyTimeout: SILENCE_MS,
    headersTimeout: CONNECT_MS,
    connect: { timeout: CONNECT_MS },
  });
  return {
    open: async (subgraph, watch) => {
      const controller = new AbortController();
      const opened = Promise.withResolvers<void>();
      const giveUp = (error: Error): void => {
        opened.reject(error);
        controller.abort();
      };
      const timer = setTimeout(giveUp, openMs, new Error('it did not say that it is open'));
      // The client left; once it is open, whoever opened it closes it.
      const leave = (): void => giveUp(new MortarError('DEADLINE_EXCEEDED'));
      const { signal } = watch.request;
      if (signal.aborted) leave();
      signal.addEventListener('abort', leave, { once: true });
      void keepOpen({ subgraph, watch, agent, signal: controller.signal }, opened);
      try {
        await opened.promise;
      } catch (error) {
        throw refused(subgraph, error);
      } finally {
        clearTimeout(timer);
        signal.removeEventListener('abort', leave);
      }
      return () => controller.abort();
    },
    close: () => agent.destroy(),
  };
}

interface Keeping {
  readonly subgraph: WatchedSubgraph;
  readonly watch: SourceWatch;
  readonly agent: Agent;
  readonly signal: AbortSignal;
}

/** Reads until the signal; rejects `opened` when the first attempt fails, and never itself. */
async function keepOpen(keeping: Keeping, opened: PromiseWithResolvers<void>): Promise<void> {
  const { subgraph, watch, signal } = keeping;
  let isOpened = false;
  let failures = 0;
  const onMessage = (keys: readonly string[] | null): void => {
    failures = 0;
    // The first message of a connection says that it is open: keys that changed before it came may be missed.
    if (isOpened) watch.onChange(keys);
    isOpened = true;
    opened.resolve();
  };
  while (!signal.aborted) {
    try {
      await readStream(keeping, onMessage);
      if (!isOpened) throw new Error('it ended before it was open');
    } catch (error) {
      if (signal.aborted) return;
      if (!isOpened) {
        opened.reject(error);
        return;
      }
      if (failures === 0) subgraph.logger.warn({ subgraph: subgraph.name }, 'a source stream broke');
    }
    failures += 1;
    const longest = Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS);
    // An aborted pause ends the loop.
    await pause(longest * (0.5 + Math.random() / 2), null, { signal }).catch(() => undefined);
  }
}

async function readStream(
  { subgraph, watch, agent, signal }: Keeping,
  onMessage: (keys: readonly string[] | null) => void,
): Promise<void> {
  const { requestId, principal, purpose, medium } = watch.request;
  const body = JSON.stringify({ watch: { field: watch.field, arguments: watch.arguments } });
  const facts = { requestId, principal, purpose, medium, timeLeftMs: TIME_LEFT_MS };
  const headers = {
    'content-type': 'application/json',
    accept: 'text/event-stream',
    'x-request-id': requestId,
    [CONTEXT_HEADER]: subgraph.sign(facts, { subgraph: subgraph.name, body }),
  };
  const url = new URL('live', subgraph.url);
  const answer = await request(url, { method: 'POST', headers, body, signal, dispatcher: agent });
  const isStream = isEventStream(answer.headers['content-type']);
  if (answer.statusCode !== 200 || !isStream) throw await refusalOf(answer);
  for await (const message of messagesOf(answer.body)) onMessage(message);
}

function isEventStream(contentType: string | string[] | undefined): boolean {
  return typeof contentType === 'string' && /^text\/event-stream\s*(;|$)/i.test(contentType);
}

const refusal = z.object({ errors: z.tuple([z.object({ extensions: z.object({ code: z.string() }) })]) });

/** No refusal of ours is longer. */
const MAX_REFUSAL_CHARACTERS = 10_000;

async function refusalOf({ statusCode, body }: Awaited<ReturnType<typeof request>>): Promise<Error> {
  const text = await beginningOf(body);
  const code = statusCode === 403 || statusCode === 400 ? codeIn(text) : null;
  if (code === 'SCOPE_REQUIRED' || code === 'OPERATION_RESOLUTION_FAILURE' || code === 'LIMIT_LIST')
    return new MortarError(code);
  return new Error(`it answered with status ${statusCode} and no events`);
}

/** What follows is not read: whatever stands between may send pages without end. */
async function beginningOf(body: AsyncIterable<Buffer>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_REFUSAL_CHARACTERS) break;
  }
  return text;
}

function codeIn(text: string): string | null {
  try {
    return refusal.safeParse(JSON.parse(text)).data?.errors[0].extensions.code ?? null;
  } catch {
    return null;
  }
}

const message = z.object({ keys: z.array(z.string().max(1_000)).max(1_000).nullable() });

/** The messages of a stream of ours; comments are passed over. @throws {Error} when it speaks otherwise */
async function* messagesOf(body: AsyncIterable<Buffer>): AsyncGenerator<readonly string[] | null> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    if (text.length > MAX_MESSAGE_CHARACTERS) throw new Error('a message is too long');
    for (const block of blocks) {
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (data !== undefined) yield message.parse(JSON.parse(data)).keys;
    }
  }
}

/** Refusals are the caller's to know; what else went wrong is the platform team's, and said in the log. */
function refused({ name, logger }: WatchedSubgraph, error: unknown): MortarError {
  if (error instanceof MortarError) return error;
  const reason = error instanceof Error ? error.message : 'unknown';
  logger.warn({ subgraph: name, reason }, 'a source stream could not be opened');
  return new MortarError('SUBGRAPH_UNAVAILABLE', { cause: error });
}
