// What the conformance suite must hold of each port of a connector, by the list of issue 4 (point 9), and the cases that do.

type Kind = 'itself' | 'webhook' | 'key' | 'feed' | 'writes' | 'locations';

/** Suites of one connector by how their titles look; the rest of the title is the port. */
const SUITES: Readonly<Record<Kind, RegExp>> = {
  itself: /^what it says of itself$/,
  webhook: /^webhook$/,
  key: / by key$/,
  feed: /^the feed /,
  writes: /^writes to /,
  locations: /^locations$/,
};
/** Said by a connector that has no suite of a kind. Few have places of their own, and that is no case. */
const ABSENT: Readonly<Partial<Record<Kind, string>>> = {
  webhook: 'has no webhook',
  key: 'has no reads by key',
  feed: 'has no feeds',
  writes: 'has no writes',
};

interface Item {
  readonly name: string;
  readonly by: Readonly<Partial<Record<Kind, RegExp>>>;
}

const everyPort = (key: RegExp, other: RegExp = key): Item['by'] => ({
  key,
  feed: other,
  writes: other,
  locations: other,
});

const ITEMS: readonly Item[] = [
  { name: 'spec validity', by: { itself: /^can do what its ports are for/ } },
  { name: 'missing key', by: { key: /leaves missing ones empty/ } },
  { name: 'duplicate key', by: { key: /asks a duplicate once/, writes: /^sends what is told twice once/ } },
  {
    name: 'more than the maximum',
    by: { key: /^carries no more keys/, writes: /^answers every input, in calls within/ },
  },
  { name: '429 with Retry-After', by: everyPort(/^waits out a 429/) },
  { name: '429 without Retry-After', by: everyPort(/^fails fast on a 429 that names no time/) },
  { name: '5xx', by: everyPort(/^answers a 503 with/, /^never takes a 503 for/) },
  { name: 'timeout', by: everyPort(/^ends a call without an answer/) },
  { name: 'half a body', by: everyPort(/^answers half a body with/, /^never takes half a body for/) },
  { name: 'HTML', by: everyPort(/^answers HTML with/, /^never takes HTML for/) },
  { name: 'wrong types', by: everyPort(/^passes no wrong type on/) },
  { name: '401 refresh once', by: everyPort(/^renews a refused token once/) },
  { name: 'webhook good', by: { webhook: /^accepts a genuine delivery once/ } },
  { name: 'webhook bad', by: { webhook: /^refuses what is not signed/ } },
  { name: 'webhook replayed', by: { webhook: /a replay changes nothing$/ } },
  { name: 'feed resume after cursor expiry', by: { feed: /^goes on after its page token expired/ } },
  {
    name: 'hostile ids',
    by: { key: /^sends a hostile key/, feed: /^sends a hostile page token/, writes: /^sends hostile texts/ },
  },
  {
    name: 'secrets and personal data',
    by: {
      ...everyPort(/^tells no secret and nothing personal/),
      feed: /^keeps secrets and everything personal out of/,
    },
  },
];

/** A case that passed. */
export interface PassedCase {
  readonly suite: string;
  readonly title: string;
}

export interface Coverage {
  /** Items held, each for each port it is about. */
  readonly held: number;
  /** What is missing, as `port: item`. */
  readonly missing: readonly string[];
}

/** What the passed cases of one connector hold of the list. */
export function coverageOf(passed: readonly PassedCase[]): Coverage {
  const suites = Map.groupBy(passed, ({ suite }) => suite);
  const kinds = Object.keys(SUITES) as Kind[];
  const titles = passed.map(({ title }) => title);
  let held = 0;
  const missing: string[] = [];
  for (const kind of kinds) {
    const own = [...suites].filter(([suite]) => SUITES[kind].test(suite));
    const absent = ABSENT[kind];
    if (own.length === 0 && absent !== undefined && !titles.includes(absent)) missing.push(`any ${kind}`);
    for (const [suite, cases] of own) {
      for (const { name, by } of ITEMS) {
        const wanted = by[kind];
        if (wanted === undefined) continue;
        if (cases.some(({ title }) => wanted.test(title))) held += 1;
        else missing.push(`${suite}: ${name}`);
      }
    }
  }
  return { held, missing };
}
