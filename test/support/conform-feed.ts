// Conformance of one feed: complete runs, cursors that expire or rot, failures.
import { describe, expect, it } from 'vitest';

import { MortarError } from '#platform/errors.ts';
import type { FeedSource } from '#schema/model/sources.ts';

import type { PortSuite } from './conform-batch.ts';
import { feedOf, openBench, personalTexts, within } from './conform-harness.ts';
import type { Bench, Fault } from './conform-harness.ts';
import { mutantsOf, typeDifferences } from './conform-mutants.ts';

interface Run {
  readonly ids: ReadonlySet<string>;
  readonly values: readonly unknown[];
  readonly cursors: readonly string[];
  readonly pages: number;
}

async function runFeed(feed: FeedSource<unknown>, start: string | null = null): Promise<Run> {
  const values: unknown[] = [];
  const cursors: string[] = [];
  let cursor = start;
  for (let pages = 1; pages < 500; pages += 1) {
    const page = await feed.readPage(cursor, within(10_000));
    values.push(...page.changes.flatMap((change) => (change.kind === 'upsert' ? [change.value] : [])));
    ({ cursor } = page);
    if (cursor !== null) cursors.push(cursor);
    if (page.done) return { ids: new Set(values.map(idOf)), values, cursors, pages };
  }
  throw new Error('the feed has no last page');
}

const idOf = (value: unknown): string => (value as { readonly externalId: string }).externalId;
const json = (value: unknown, status = 200): Response => Response.json(value, { status });

export function conformFeed<S>({ definition, name, fixtures }: PortSuite<S>): void {
  async function open(fault?: Fault): Promise<{ readonly bench: Bench; readonly feed: FeedSource<unknown> }> {
    const bench = openBench(definition, await fixtures(), fault === undefined ? {} : { fault });
    return { bench, feed: feedOf(bench.system, name) };
  }

  describe(`the feed ${name}`, () => {
    it('runs to its end within the contract, and the next run finds nothing new', async () => {
      const { bench, feed } = await open();
      const run = await runFeed(feed);
      expect(run.values.length).toBeGreaterThan(0);
      const again = await runFeed(feed, run.cursors.at(-1) ?? null);
      expect(again.values.filter((value) => !run.ids.has(idOf(value)))).toEqual([]);
      expect(bench.violations).toEqual([]);
    });

    it('goes on after its page token expired, and misses nothing', async (context) => {
      const { expired } = await fixtures();
      const { feed: whole } = await open();
      const truth = await runFeed(whole);
      if (truth.pages < 2 || expired === undefined) return context.skip('no page token to expire');
      const { feed, bench } = await open((_request, count, next) =>
        count === truth.pages ? Promise.resolve(expired()) : next(),
      );
      const run = await runFeed(feed);
      expect(bench.calls.length).toBeGreaterThan(truth.pages);
      expect([...truth.ids].filter((id) => !run.ids.has(id))).toEqual([]);
    });

    it.each(['', '{}', 'null', '{"since":5,"token":{}}', '[', '{"nextRequest":7}'])(
      'treats the unreadable cursor %j as the start',
      async (cursor) => {
        const { feed } = await open();
        const [fromStart, fromRot] = [
          await feed.readPage(null, within(5_000)),
          await feed.readPage(cursor, within(5_000)),
        ];
        expect(fromRot.changes.length).toBe(fromStart.changes.length);
      },
    );

    it.each([
      ['a 503', async () => json({}, 503), 'UPSTREAM_UNAVAILABLE'],
      ['a 429', async () => json({}, 429), 'UPSTREAM_RATE_LIMITED'],
      ['HTML', async () => new Response('<html></html>'), 'UPSTREAM_CONTRACT'],
      ['a list of lists', async () => json([[]]), 'UPSTREAM_CONTRACT'],
      ['a text', async () => json('x'), 'UPSTREAM_CONTRACT'],
    ] as [string, Fault, string][])('rejects on %s and leaves the cursor to the caller', async (_name, fault, code) => {
      const { feed } = await open(fault);
      await expect(feed.readPage(null, within(600))).rejects.toMatchObject({ code, system: 'vendor' });
    });

    it('passes no wrong type on', async () => {
      const bodies: unknown[] = [];
      const { feed } = await open(async (_request, _count, next) => {
        const answer = await next();
        bodies.push(await answer.clone().json());
        return answer;
      });
      let cursor: string | null = null;
      let page = await feed.readPage(cursor, within(5_000));
      // The first page with rows: some feeds begin with a list of what to ask for.
      while (page.changes.length === 0 && !page.done) {
        ({ cursor } = page);
        page = await feed.readPage(cursor, within(5_000));
      }
      const good = page.changes.flatMap((change) => (change.kind === 'upsert' ? [change.value] : []))[0];
      for (const mutant of mutantsOf(bodies.at(-1))) {
        const { feed: other } = await open(async () => json(mutant));
        const found = await other.readPage(cursor, within(1_000)).then(
          ({ changes }) =>
            changes.flatMap((change) => (change.kind === 'upsert' ? typeDifferences(good, change.value) : [])),
          (error: unknown) => (error instanceof MortarError ? [] : [String(error)]),
        );
        expect([found, JSON.stringify(mutant).slice(0, 600)]).toEqual([[], expect.anything()]);
      }
    });

    it('keeps secrets and everything personal out of cursors, traces and logs', async () => {
      const { bench, feed } = await open();
      const run = await runFeed(feed);
      const { credentials } = await fixtures();
      const secrets = new Set([...personalTexts(run.values), ...Object.values(credentials)]);
      const text = `${bench.told()} ${run.cursors.join(' ')}`;
      expect([...secrets].filter((secret) => secret.length >= 5 && text.includes(secret))).toEqual([]);
    });
  });
}
