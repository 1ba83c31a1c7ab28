import { Redis } from 'ioredis';
import { z } from 'zod';

import type { ChangeLink, ChangeLinkEvents, ChangeMessage } from './changes.ts';

export interface RedisChangesOptions {
  /** `redis://` or `rediss://`. */
  readonly url: string;
  /** Told once per change of state. */
  readonly onState?: (state: { readonly up: boolean; readonly reason: string }) => void;
}

const CHANNEL = 'mortar:changes:1';
/** Whatever arrives is checked: others may write to a shared Redis. */
const messageShape = z.strictObject({
  from: z.string().max(100),
  topic: z.enum(['customer', 'stock']),
  hashes: z.array(z.string().length(22)).max(1_000).nullable(),
});
const MAX_MESSAGE_CHARACTERS = 100_000;

/**
 * The way to other processes over Redis pub/sub, at most once. Connects in the background and never slows a caller. After
 * its own connection was away it tells of a gap here; when a message could not be sent, it tells the others of one as soon
 * as it can.
 */
export function openRedisChanges(options: RedisChangesOptions & ChangeLinkEvents): ChangeLink {
  const { url, onState, onMessage, onGap } = options;
  const from = crypto.randomUUID();
  // ioredis: a connection that subscribes can do nothing else, so there are two.
  const connect = (): Redis =>
    new Redis(url, {
      lazyConnect: true,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResubscribe: false,
      commandTimeout: 2_000,
      keepAlive: 10_000,
      connectTimeout: 2_000,
      retryStrategy: (times) => Math.min(100 * times, 2_000),
    });
  const subscriber = connect();
  const publisher = connect();
  const unsent = new Set<ChangeMessage['topic']>();
  let wasAway = false;
  let up: boolean | null = null;
  const tell = (now: boolean, reason: string): void => {
    if (up === now) return;
    up = now;
    onState?.({ up: now, reason });
  };

  const away = (error?: unknown): void => {
    wasAway = true;
    tell(false, error instanceof Error && error.message !== '' ? error.message : 'the connection was closed');
  };

  const send = (message: ChangeMessage): void => {
    publisher.publish(CHANNEL, JSON.stringify({ from, ...message })).catch(() => unsent.add(message.topic));
  };
  publisher.on('ready', () => {
    const topics = [...unsent];
    unsent.clear();
    for (const topic of topics) send({ topic, hashes: null });
  });
  publisher.on('error', () => undefined);

  const joined = async (): Promise<void> => {
    await subscriber.subscribe(CHANNEL);
    tell(true, 'ready');
    if (wasAway) onGap();
    wasAway = false;
  };
  subscriber.on('ready', () => {
    // Subscribing again after a reconnect is done by hand: only then is it known when nothing can be missed any more.
    joined().catch(away);
  });
  subscriber.on('message', (_channel: string, text: string) => {
    const message = read(text);
    if (message !== null && message.from !== from) onMessage(message);
  });
  subscriber.on('error', away);
  subscriber.on('close', () => away());
  for (const client of [subscriber, publisher]) client.connect().catch(() => undefined);

  return {
    send,
    close: async () => {
      subscriber.removeAllListeners('close');
      for (const client of [subscriber, publisher]) client.disconnect();
      await Promise.resolve();
    },
  };
}

function read(text: string): z.infer<typeof messageShape> | null {
  if (text.length > MAX_MESSAGE_CHARACTERS) return null;
  try {
    return messageShape.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
