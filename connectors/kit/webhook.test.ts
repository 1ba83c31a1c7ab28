import { createRequire } from 'node:module';

import { describe, expect, it } from 'vitest';

import { businessCentralWebhook } from '#connectors/erp-business-central/webhook.ts';
import { crmHubspot } from '#connectors/crm-hubspot/connector.ts';
import { hubspotWebhook } from '#connectors/crm-hubspot/webhook.ts';
import { erpBusinessCentral } from '#connectors/erp-business-central/connector.ts';
import { posSquare } from '#connectors/pos-square/connector.ts';
import { squareWebhook } from '#connectors/pos-square/webhook.ts';
import { contextOf } from '#test/support/connector-contract.ts';
import { WebhooksHelper } from 'square';

import { createMemoryDeliveries } from './delivery-memory.ts';
import { createWebhookReceiver, hmacOf } from './webhook.ts';

const { Signature } = createRequire(import.meta.url)('@hubspot/api-client') as {
  Signature: { isValid: (options: object) => boolean };
};

// HubSpot's own client looks at the real clock and refuses what is older than five minutes.
const NOW_MS = Date.now();
const clock = { nowMs: () => NOW_MS };
const options = () => ({ system: 'vendor', clock, deliveries: createMemoryDeliveries(clock) });
const url = 'https://graph.example/webhooks/vendor';
const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('signatures', () => {
  it("of Square are those of Square's own client", async () => {
    const requestBody = '{"event_id":"e-1","type":"order.created","text":"É漢🙂"}';
    const signatureHeader = hmacOf('key', [url, requestBody]);
    expect(
      await WebhooksHelper.verifySignature({ requestBody, signatureHeader, signatureKey: 'key', notificationUrl: url }),
    ).toBe(true);
    const { settings } = contextOf(posSquare, { credentials: { token: 't', webhookSignatureKey: 'key' } });
    const receive = createWebhookReceiver(squareWebhook, settings, options());
    const headers = { 'x-square-hmacsha256-signature': signatureHeader };
    expect(await receive?.({ url, headers, body: bytes(requestBody) })).toEqual({
      kind: 'ACCEPTED',
      feeds: ['orders'],
    });
  });

  it("of HubSpot are those of HubSpot's own client, and end after five minutes", async () => {
    const body = '[{"subscriptionType":"contact.creation"}]';
    const { settings } = contextOf(crmHubspot, { credentials: { token: 't', clientSecret: 's' } });
    const answerAt = async (sentAtMs: number) => {
      const signature = hmacOf('s', ['POST', url, body, String(sentAtMs)]);
      const headers = { 'x-hubspot-signature-v3': signature, 'x-hubspot-request-timestamp': String(sentAtMs) };
      const receive = createWebhookReceiver(hubspotWebhook, settings, options());
      const answer = await receive?.({ url, headers, body: bytes(body) });
      return { signature, kind: answer?.kind };
    };
    const { signature } = await answerAt(NOW_MS);
    const request = {
      signatureVersion: 'v3',
      method: 'POST',
      url,
      clientSecret: 's',
      requestBody: body,
      signature,
      timestamp: NOW_MS,
    };
    expect(Signature.isValid(request)).toBe(true);
    const offsets = [0, -300_000, -300_001, 300_000, 300_001];
    const answers = await Promise.all(offsets.map((offset) => answerAt(NOW_MS + offset)));
    expect(answers.map(({ kind }) => kind)).toEqual(['ACCEPTED', 'ACCEPTED', 'REFUSED', 'ACCEPTED', 'REFUSED']);
  });
});

describe('the handshake of Business Central', () => {
  const credentials = { clientId: 'c', clientSecret: 's', clientState: 'a-long-enough-state' };
  const { settings } = contextOf(erpBusinessCentral, {
    credentials,
    options: { companyId: '0b0e9d3c-6a53-4a6c-9d52-7f0a5a1a1a1a' },
  });
  const ask = (token: string) =>
    createWebhookReceiver(
      businessCentralWebhook,
      settings,
      options(),
    )?.({
      url: `${url}?validationToken=${encodeURIComponent(token)}`,
      headers: {},
      body: bytes(''),
    });

  it('echoes the token', async () => {
    expect(await ask('abc-DEF_123=')).toEqual({ kind: 'HANDSHAKE', text: 'abc-DEF_123=' });
  });

  it.each(['<script>alert(1)</script>', 'x'.repeat(1_025), '', 'a\r\nb'])('echoes no %j', async (token) => {
    expect((await ask(token))?.kind).toBe('REFUSED');
  });
});
