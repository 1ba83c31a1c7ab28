import type { LoadProgress, SystemReport } from '#gateway/graph.ts';

/** A system, or a subgraph of another process, of which nothing is known yet. */
type Part = Pick<SystemReport, 'id' | 'connector' | 'url'> & { readonly state?: SystemReport['state'] };

export interface SummaryFacts {
  /** What is served, for example `one graph over 5 systems`. */
  readonly what: string;
  /** Where the main port listens, without a path. */
  readonly url: string;
  readonly metricsUrl: string;
  readonly issuerUrl: string;
  readonly parts: readonly Part[];
  readonly sandbox: boolean;
  /** Of the sandbox; empty otherwise. */
  readonly sandboxUrls: Readonly<Record<string, string>>;
  readonly pagesBuilt: boolean;
  readonly startedInMs: number;
}

/** Where `mortar token` looks for the gateway by itself. */
const DEFAULT_URL = 'http://127.0.0.1:4000';
const SYMBOLS = { UP: '●', DEGRADED: '◐', DOWN: '○' } as const;

/** What a person reads when the graph is up: where it is, what is connected, how to get in. No color: fits any log. */
export function formatSummary(facts: SummaryFacts): string {
  const row = (name: string, value: string): string => `  ${name.padEnd(10)} ${value}`;
  const width = Math.max(0, ...facts.parts.map(({ id }) => id.length));
  const connectorWidth = Math.max(0, ...facts.parts.map(({ connector }) => connector.length));
  const parts = facts.parts.map(
    ({ id, connector, url, state }) =>
      `  ${state === undefined ? '·' : SYMBOLS[state]} ${id.padEnd(width)}  ${(state ?? '').padEnd(8)}  ${connector.padEnd(connectorWidth)}  ${url}`,
  );
  const { control } = facts.sandboxUrls;
  const urlFlag = facts.url === DEFAULT_URL ? '' : ` --url ${facts.url}`;
  return [
    '',
    `  Mortar is serving ${facts.what} (${(facts.startedInMs / 1000).toFixed(1)} s)`,
    '',
    row('graph', `${facts.url}/graphql`),
    ...(facts.pagesBuilt ? [row('GraphiQL', `${facts.url}/graphiql`)] : []),
    row('health', `${facts.url}/readyz`),
    row('metrics', `${facts.metricsUrl}/metrics`),
    row('issuer', facts.issuerUrl),
    ...(facts.sandbox && control !== undefined
      ? [row('sandbox', `${control} (its control port: the truth to compare with)`)]
      : []),
    '',
    ...parts,
    '',
    ...(facts.sandbox
      ? [`  A token:   npm run -s mortar -- token associate${urlFlag}`, '  Stop:      Ctrl-C']
      : ['  Tokens come from the issuer above.']),
    '',
  ].join('\n');
}

export interface SubgraphSummaryFacts extends Pick<SummaryFacts, 'url' | 'metricsUrl' | 'startedInMs'> {
  readonly name: string;
  /** Whom it believes about a caller, in words. */
  readonly trusts: string;
}

/** The same of a subgraph that is a process of its own. */
export function formatSubgraphSummary({ name, url, metricsUrl, trusts, startedInMs }: SubgraphSummaryFacts): string {
  return [
    '',
    `  Mortar is serving the subgraph ${name} (${(startedInMs / 1000).toFixed(1)} s)`,
    '',
    `  graph      ${url}/graphql`,
    `  health     ${url}/readyz`,
    `  metrics    ${metricsUrl}/metrics`,
    `  trusts     ${trusts}`,
    '',
    '  Stop:      Ctrl-C',
    '',
  ].join('\n');
}

/** The first load in one line, for example `first load  pos customers 300 · orders 1,200 …`. */
export function formatProgress({ feeds, done }: LoadProgress): string {
  const rows = feeds.reduce((sum, feed) => sum + feed.rows, 0);
  const finished = feeds.filter((feed) => feed.done).length;
  const count = rows.toLocaleString('en-US');
  if (done) return `  First load done: ${count} rows from ${feeds.length} feeds.`;
  const running = feeds.filter((feed) => !feed.done).map(({ system, feed }) => `${system} ${feed}`);
  const names = running.slice(0, 3).join(', ');
  return `  First load: ${finished} of ${feeds.length} feeds, ${count} rows (${names}${running.length > 3 ? ', …' : ''})`;
}
