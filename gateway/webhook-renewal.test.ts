import Fastify from 'fastify';
import pino from 'pino';
import { expect, test } from 'vitest';

import { addWebhookRoutes } from './http/webhooks.ts';
import { startRenewals } from './webhook-renewal.ts';
import { erpBusinessCentral } from '#connectors/erp-business-central/connector.ts';
import { systemClock } from '#platform/clock.ts';
import { MortarError } from '#platform/errors.ts';
import { createErpVendor } from '#sandbox/vendors/erp-business-central.ts';
import { applyEvent } from '#sandbox/control-events.ts';
import { createWebhookSender } from '#sandbox/webhook-sender.ts';
import { buildWorld } from '#sandbox/world/build.ts';
import { toSystemId } from '#schema/model/ids.ts';
import { connectSandbox } from '#test/support/connect-sandbox.ts';

const logger = pino({ level: 'silent' });

test('Business Central is asked for webhooks, shakes hands, is asked again, and tells of a new order', async () => {
  const world = await buildWorld({ seed: 7, scale: 'small', builtAt: '2026-11-20T00:00:00.000Z' });
  let nowMs = Date.now();
  const vendor = createErpVendor({ nowMs: () => nowMs });
  const erp = connectSandbox(erpBusinessCentral, { vendor, world });
  const told = Promise.withResolvers<readonly string[]>();
  await using app = Fastify();
  const receive = erp.webhook ?? (() => Promise.reject(new Error('bound')));
  addWebhookRoutes(app, {
    config: {},
    clock: systemClock,
    logger,
    systems: [{ id: 'erp', receive, nudge: told.resolve }],
  });
  const publicUrl = await app.listen({ port: 0, host: '127.0.0.1' });
  const renew = () => erp.webhookSubscription?.renew(`${publicUrl}/webhooks/erp`, new AbortController().signal);
  await renew();
  nowMs += 2 * 86_400_000;
  await renew();
  // Two days later the first ones would be gone: what is left was renewed.
  nowMs += 2 * 86_400_000;
  const sender = createWebhookSender([vendor], () => nowMs);
  sender.watch(world);
  const [product] = world.products;
  const lines = [{ sku: product?.sku ?? '', quantity: 1 }];
  applyEvent(world, { kind: 'order', channel: 'web', stage: 'paid', lines }, nowMs);
  expect(await told.promise).toEqual(['orders']);
  await expect.poll(() => sender.counts().erp).toMatchObject({ delivered: 1, failed: 0 });
  sender.close();
});

test('a renewal that fails is tried again, later each time; one that worked waits its time', async () => {
  const waits: number[] = [];
  const done = Promise.withResolvers<void>();
  const answers = [new MortarError('UPSTREAM_UNAVAILABLE'), new MortarError('UPSTREAM_TIMEOUT'), null];
  const addresses: string[] = [];
  const stop = startRenewals({
    systems: [
      {
        system: toSystemId('erp'),
        webhookSubscription: {
          everyMs: 86_400_000,
          renew: async (address) => {
            addresses.push(address);
            const failure = answers.shift() ?? null;
            if (failure !== null) throw failure;
            await Promise.resolve();
          },
        },
      },
    ],
    publicUrl: 'https://graph.example/',
    logger,
    wait: async (ms, signal) => {
      waits.push(ms);
      if (waits.length <= 3) return;
      done.resolve();
      await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true });
      });
    },
  });
  await done.promise;
  await stop();
  expect(waits).toEqual([2_000, 10_000, 20_000, 86_400_000]);
  expect(new Set(addresses)).toEqual(new Set(['https://graph.example/webhooks/erp']));
});
