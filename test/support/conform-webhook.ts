// Conformance of a connector's webhook: good, bad, late and replayed deliveries.
import { describe, expect, it } from 'vitest';

import { connectSystem } from '#connectors/kit/connect-system.ts';
import type { ConnectorDefinition } from '#connectors/kit/definition.ts';
import { systemConfig } from '#schema/model/configuration.ts';
import type { WebhookReceiver } from '#schema/model/webhooks.ts';

import { BASE_URL } from './conform-harness.ts';
import type { ConformFixtures, ConformWebhook } from './conform-harness.ts';

const NOW_MS = Date.parse('2026-11-23T12:00:00.000Z');
const DAY_MS = 24 * 3_600_000;

export function conformWebhook<S>(definition: ConnectorDefinition<S>, fixtures: () => Promise<ConformFixtures>): void {
  interface Opened {
    readonly webhook: ConformWebhook;
    readonly deliver: (more?: {
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly url?: string;
    }) => ReturnType<WebhookReceiver>;
    readonly pass: (ms: number) => void;
  }
  async function open(): Promise<Opened> {
    const { credentials, options, webhook } = await fixtures();
    if (webhook === undefined) throw new Error('the fixtures have no webhook');
    let nowMs = NOW_MS;
    const receive = receiverOf(definition, { ...credentials, ...webhook.credentials }, options, () => nowMs);
    if (receive === undefined) throw new Error('no webhook is bound');
    return {
      webhook,
      deliver: ({ body = webhook.body, headers = webhook.headers(body, NOW_MS), url = webhook.url } = {}) =>
        receive({ url, headers, body: Buffer.from(body) }),
      pass: (ms) => {
        nowMs += ms;
      },
    };
  }

  describe('webhook', () => {
    it('is not there without its secret', async () => {
      const { credentials, options, webhook } = await fixtures();
      const secrets = new Set(Object.keys(webhook?.credentials ?? {}));
      const without = Object.fromEntries(Object.entries(credentials).filter(([name]) => !secrets.has(name)));
      expect(receiverOf(definition, without, options, () => NOW_MS)).toBeUndefined();
    });

    it('accepts a genuine delivery once: a replay changes nothing', async () => {
      const { webhook, deliver, pass } = await open();
      expect(await deliver()).toEqual({ kind: 'ACCEPTED', feeds: webhook.feeds });
      expect(await deliver()).toEqual({ kind: 'REPLAYED' });
      pass(60_000);
      expect((await deliver()).kind).toBe('REPLAYED');
      pass(DAY_MS / 2);
      expect((await deliver()).kind).not.toBe('ACCEPTED');
    });

    it('refuses what is not signed, signed by another, changed on the way, or not for this address', async () => {
      const { webhook, deliver } = await open();
      const { forgedBody } = webhook;
      const good = webhook.headers(webhook.body, NOW_MS);
      const broken = Object.fromEntries(
        Object.entries(good).map(([name, value]) => [
          name,
          value.replace(/^./, (first) => (first === 'A' ? 'B' : 'A')),
        ]),
      );
      const forged =
        forgedBody === undefined
          ? [
              { headers: {} },
              { headers: broken },
              { headers: good, body: webhook.body.replace(/\d/, '7') + ' ' },
              { headers: good, url: `${webhook.url}/other` },
            ]
          : [{ body: forgedBody }, { body: '' }, { body: '{}' }];
      const answers = await Promise.all(forged.map(deliver));
      expect(answers.map(({ kind }) => kind)).toEqual(forged.map(() => 'REFUSED'));
      expect((await deliver()).kind).toBe('ACCEPTED');
    });

    it.each(['', 'null', '[', '{"value":5}', '[[]]', '"x"', '\u0000'])(
      'accepts nothing from the body %j',
      async (body) => {
        const { deliver } = await open();
        expect((await deliver({ body })).kind).not.toBe('ACCEPTED');
      },
    );
  });
}

// oxlint-disable-next-line max-params -- what a receiver is made of
function receiverOf<S>(
  definition: ConnectorDefinition<S>,
  credentials: Readonly<Record<string, string>>,
  options: ConformFixtures['options'],
  nowMs: () => number,
): WebhookReceiver | undefined {
  const config = systemConfig.parse({ id: 'vendor', connector: definition.id, url: BASE_URL, credentials, options });
  const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  return connectSystem(definition, { config, clock: { nowMs }, logger: silent, trace: () => {}, fetch }).webhook;
}
