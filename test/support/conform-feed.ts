// Conformance of one feed: complete runs, cursors that expire or rot, failures.
import { describe, expect, it } from 'vitest';

import { MortarError } from '#platform/errors.ts';
import type { FeedSource } from '#schema/model/sources.ts';

import type { PortSuite } from './conform-batch.ts';
import { conformCalls } from './conform-calls.ts';
import { codeOf, feedOf, openBench, personalTexts, within } from './conform-harness.ts';
import type { Bench, Fault } from './conform-harness.ts';
import './conform-meta.ts';
import { mutantsOf, typeDifferences } from './conform-mutants.ts';
import { HOSTILE_IDS } from './connector-contract.ts';

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
    const page = await feed.readPage(cursor, within(30_000));
    values.push(...page.changes.flatMap((change) => (change.kind === 'upsert' ? [change.value] : [])));
    ({ cursor } = page);
    if (cursor !== null) cursors.push(cursor);
    if (page.done) return { ids: new Set(values.map(idOf)), values, cursors, pages };
  }
  throw new Error('the feed has no last page');
}

const idOf = (value: unknown): string => (value as { readonly externalId: string }).externalId;
const json = (value: unknown): Response => Response.json(value);
const HOSTILE_TOKENS = [
  'a\u0000b',
  'a\r\nhost: evil.test',
  '${jndi:ldap://evil.test}',
  '//evil.test/x',
  'x'.repeat(10_240),
];

/** A cursor of ours with a page token of the vendor's, under whatever name it stands. */
function withToken(cursor: string, token: string): string {
  const read = JSON.parse(cursor) as object;
  return JSON.stringify({ ...read, token, nextRequest: token });
}

export function conformFeed<S>({ definition, name, fixtures }: PortSuite<S>): void {
  async function open(fault?: Fault): Promise<{ readonly bench: Bench; readonly feed: FeedSource<unknown> }> {
    const bench = openBench(definition, await fixtures(), fault === undefined ? {} : { fault });
    return { bench, feed: feedOf(bench.system, name) };
  }

  /** Pages have no tokens that end: another process goes on where one stopped. */
  async function leftAndResumed(truth: Run): Promise<Run> {
    const { feed: first } = await open();
    const page = await first.readPage(null, within(30_000));
    const { feed: second } = await open();
    const rest = page.done ? truth : await runFeed(second, page.cursor);
    const seen = page.changes.flatMap((change) => (change.kind === 'upsert' ? [idOf(change.value)] : []));
    return { ...rest, ids: new Set([...seen, ...rest.ids]) };
  }

  /** The last page's token ended meanwhile; where there is one page only, the token of a run that was left. */
  async function expiredAndResumed(truth: Run, expired: () => Response): Promise<Run> {
    let refusals = 0;
    const { feed } = await open((_request, count, next) => {
      if (count !== truth.pages) return next();
      refusals += 1;
      return Promise.resolve(expired());
    });
    const left = withToken(JSON.stringify({ since: null, startedAt: null, seen: null }), 'ended');
    const run = await runFeed(feed, truth.pages > 1 ? null : left);
    if (refusals !== 1) throw new Error('no page token was refused');
    return run;
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

    it('goes on after its page token expired, and misses nothing', async () => {
      const { expired } = await fixtures();
      const { feed: whole } = await open();
      const truth = await runFeed(whole);
      const run = expired === undefined ? await leftAndResumed(truth) : await expiredAndResumed(truth, expired);
      expect([...truth.ids].filter((id) => !run.ids.has(id))).toEqual([]);
    });

    it.each(['', '{}', 'null', '{"since":5,"token":{}}', '[', '{"nextRequest":7}'])(
      'treats the unreadable cursor %j as the start',
      async (cursor) => {
        const { feed } = await open();
        const [fromStart, fromRot] = [
          await feed.readPage(null, within(30_000)),
          await feed.readPage(cursor, within(30_000)),
        ];
        expect(fromRot.changes.length).toBe(fromStart.changes.length);
      },
    );

    conformCalls({
      definition,
      fixtures,
      use: ({ system }, ms) =>
        feedOf(system, name)
          .readPage(null, within(ms))
          .then(() => 'fine', codeOf),
    });

    it.each([
      ['a list of lists', [[]]],
      ['a text', 'x'],
    ])('rejects on %s and leaves the cursor to the caller', async (_name, body) => {
      const { feed } = await open(async () => json(body));
      const reading = feed.readPage(null, within(600));
      await expect(reading).rejects.toMatchObject({ code: 'UPSTREAM_CONTRACT', system: 'vendor' });
    });

    it('sends a hostile page token as a token: encoded, on the same path', async () => {
      const { feed, bench: plain } = await open();
      const { cursors } = await runFeed(feed);
      await feed.readPage(withToken(cursors.at(-1) ?? '{}', 'plain'), within(2_000)).catch(() => null);
      const usual = new Set(plain.calls.map(({ url }) => url.pathname));
      for (const hostile of [...HOSTILE_IDS, ...HOSTILE_TOKENS]) {
        const { feed: other, bench } = await open();
        const cursor = withToken(cursors.at(-1) ?? '{}', hostile);
        const outcome = await other.readPage(cursor, within(2_000)).then(() => 'fine', codeOf);
        expect(['fine', 'UPSTREAM_CONTRACT']).toContain(outcome);
        expect(bench.calls.filter(({ url }) => url.host !== 'vendor.test' || !usual.has(url.pathname))).toEqual([]);
      }
    });

    it('passes no wrong type on', async ({ task }) => {
      const bodies: unknown[] = [];
      const { feed } = await open(async (_request, _count, next) => {
        const answer = await next();
        bodies.push(await answer.clone().json());
        return answer;
      });
      let cursor: string | null = null;
      let page = await feed.readPage(cursor, within(30_000));
      // The first page with rows: some feeds begin with a list of what to ask for.
      while (page.changes.length === 0 && !page.done) {
        ({ cursor } = page);
        page = await feed.readPage(cursor, within(30_000));
      }
      const good = page.changes.flatMap((change) => (change.kind === 'upsert' ? [change.value] : []))[0];
      const mutants = mutantsOf(bodies.at(-1));
      task.meta.wrongAnswers = mutants.length;
      for (const mutant of mutants) {
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
