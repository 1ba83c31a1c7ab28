import { createHash } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { systemClock } from '#platform/clock.ts';
import type { AudienceWrite, OptIn } from '#schema/model/outreach.ts';
import { createPinterestVendor, PINTEREST_LIST, pinterestMembers } from '#sandbox/vendors/social-pinterest.ts';
import { connectSystem } from '#connectors/kit/connect-system.ts';
import { checkWire, contextOf } from '#test/support/connector-contract.ts';
import { contractsAvailable, loadContract } from '#test/support/contracts.ts';
import { tinyWorld } from '#test/support/tiny-world.ts';

import { audienceSink, audiencesById } from './audiences.ts';
import { socialPinterest } from './connector.ts';
import { signalFeed } from './pins.ts';

const context = contextOf(socialPinterest, {
  credentials: { accessToken: 't' },
  options: { adAccountId: '549755885175', recipient: 'pinterest' },
});
const optIn = (more: Partial<OptIn> = {}): OptIn => ({
  purpose: 'THIRD_PARTY_SHARING',
  recipient: 'pinterest',
  decidedAtMs: context.nowMs,
  ...more,
});
const member = (more: Partial<AudienceWrite> = {}): AudienceWrite => ({
  list: PINTEREST_LIST,
  operation: 'ADD',
  reference: 'ref-1',
  email: ' Ada@Example.com',
  optIn: optIn(),
  ...more,
});
const hashOf = (email: string): string => createHash('sha256').update(email).digest('hex');

describe.skipIf(!contractsAvailable())('by the contract of Pinterest', () => {
  it('emits valid requests', async () => {
    const contract = await loadContract('pinterest/v5.json');
    for (const request of [
      signalFeed.request(null, context),
      signalFeed.request(JSON.stringify({ since: null, startedAt: null, seen: null, token: 'b' }), context),
      audiencesById.request([PINTEREST_LIST], context),
      audienceSink.request([member()], context),
      audienceSink.request([member({ operation: 'REMOVE' })], context),
    ]) {
      expect([request.operation, checkWire(contract, request)]).toEqual([request.operation, []]);
    }
  });
});

describe('people in customer lists', () => {
  it('need an opt-in to sharing with this recipient that is at most a minute old', () => {
    const refusalOf = (more: Partial<AudienceWrite>) => audienceSink.refuses?.(member(more), context);
    expect(refusalOf({})).toBeNull();
    for (const given of [
      null,
      optIn({ purpose: 'MARKETING' }),
      optIn({ recipient: 'amazon' }),
      optIn({ decidedAtMs: context.nowMs - 60_001 }),
      optIn({ decidedAtMs: context.nowMs + 5_001 }),
    ]) {
      expect(refusalOf({ optIn: given })).toBe('CONSENT_REQUIRED');
    }
  });

  it('get out without one', () => {
    expect(audienceSink.refuses?.(member({ operation: 'REMOVE', optIn: null }), context)).toBeNull();
  });

  it('are named by the hash of their address and by nothing else', () => {
    const { json, path } = audienceSink.request([member(), member({ email: 'b@example.com' })], context);
    expect(path).toBe('/ad_accounts/549755885175/customer_lists/643');
    expect(json).toEqual({
      operation_type: 'ADD',
      records: `${hashOf('ada@example.com')},${hashOf('b@example.com')}`,
    });
  });

  it('never reach Pinterest without opt-in, and leave it when they withdraw', async () => {
    const world = tinyWorld();
    const { credentials, options, handler } = createPinterestVendor();
    const pinterest = connectSystem(socialPinterest, {
      config: {
        id: 'social',
        connector: 'social-pinterest',
        url: 'http://pinterest.test/v5',
        credentials,
        options: options as Record<string, string>,
      },
      clock: systemClock,
      logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
      trace: () => {},
      fetch: (input, init) => handler(new Request(input, init), world),
    });
    const scope = { requestId: 'r', deadlineAtMs: Date.now() + 5_000, signal: new AbortController().signal };
    const now = optIn({ decidedAtMs: Date.now() });
    const write = async (...members: AudienceWrite[]) => await pinterest.audienceSink?.writeMembers(members, scope);
    expect(await write(member({ optIn: now }), member({ email: 'no@example.com', optIn: null }))).toEqual([
      { kind: 'ACCEPTED' },
      { kind: 'REFUSED', reason: 'CONSENT_REQUIRED' },
    ]);
    expect([...pinterestMembers(world)]).toEqual([hashOf('ada@example.com')]);
    // Of two writes about one person the last counts.
    await write(member({ optIn: now }), member({ operation: 'REMOVE', optIn: null }));
    expect(pinterestMembers(world).size).toBe(0);
  });
});

describe('pins', () => {
  it('are signals without links that are no web addresses', () => {
    const items = [
      {
        id: '1',
        board_id: '9',
        link: 'https://shop.example/a',
        creative_type: 'VIDEO',
        created_at: '2026-11-01T00:00:00',
      },
      { id: '2', link: 'javascript:alert(1)' },
      { id: 3 },
    ];
    const step = signalFeed.decode({ items, bookmark: null }, null, context);
    expect(step).toMatchObject({ done: true, rejected: 1 });
    expect(step.changes).toMatchObject([
      { value: { externalId: '1', kind: 'video', collectionId: '9', link: 'https://shop.example/a' } },
      { value: { externalId: '2', link: null } },
    ]);
  });
});
