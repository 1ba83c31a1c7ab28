import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** One finished call to a connected system, as the connector kit saw it. `status`: HTTP status, or an error code. */
export interface UpstreamCall {
  readonly system: string;
  readonly operation: string;
  readonly status: string;
  readonly elapsedMs: number;
}

/** What the process counts; labels hold only configured names and closed lists, never values of callers. */
export interface Metrics {
  readonly observeRequest: (request: { readonly outcome: string; readonly elapsedMs: number }) => void;
  readonly observeUpstreamCall: (call: UpstreamCall) => void;
  readonly observeFetch: (fetch: {
    readonly subgraph: string;
    readonly outcome: string;
    readonly elapsedMs: number;
  }) => void;
  /** One read of the consent ledger for the decisions of one fetch. */
  readonly observeDecisionRead: (subjectCount: number) => void;
  /** Prometheus text format and its content type. */
  readonly render: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

export interface MetricsOptions {
  /** Seconds each system's directory lags behind; null: unknown. Read at every scrape. */
  readonly feedLags?: () => readonly { readonly system: string; readonly lagSeconds: number | null }[];
}

// 120 ms is the promised p95 of the stock query: it must be a bucket edge to be readable.
const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.08, 0.12, 0.2, 0.35, 0.5, 1, 2, 5];

/** A registry of its own (tests run many), with the process's memory and event loop beside our own counts. */
export function createMetrics(options: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requestSeconds = new Histogram({
    name: 'mortar_request_duration_seconds',
    help: 'Time from the request to its answer.',
    labelNames: ['outcome'],
    buckets: DURATION_BUCKETS,
    registers,
  });
  const requests = new Counter({
    name: 'mortar_requests_total',
    help: 'Answered GraphQL requests by outcome: ok, partial (with errors), or the code that refused the whole request.',
    labelNames: ['outcome'],
    registers,
  });
  const upstreamCalls = new Counter({
    name: 'mortar_upstream_calls_total',
    help: 'Calls to connected systems by status.',
    labelNames: ['system', 'status'],
    registers,
  });
  const upstreamSeconds = new Histogram({
    name: 'mortar_upstream_duration_seconds',
    help: 'Time of calls to connected systems.',
    labelNames: ['system'],
    buckets: DURATION_BUCKETS,
    registers,
  });
  const fetchSeconds = new Histogram({
    name: 'mortar_subgraph_fetch_duration_seconds',
    help: 'Time of subgraph fetches.',
    labelNames: ['subgraph', 'outcome'],
    buckets: DURATION_BUCKETS,
    registers,
  });
  const decisionReads = new Counter({
    name: 'mortar_consent_decision_reads_total',
    help: 'Reads of the consent ledger: one for all decisions of one subgraph fetch.',
    registers,
  });
  const decisionSubjects = new Counter({
    name: 'mortar_consent_decision_subjects_total',
    help: 'Subjects asked for in reads of the consent ledger.',
    registers,
  });
  const lag = new Gauge({
    name: 'mortar_feed_lag_seconds',
    help: 'How far the directory of a system lags behind it.',
    labelNames: ['system'],
    registers,
    collect() {
      for (const { system, lagSeconds } of options.feedLags?.() ?? []) {
        if (lagSeconds !== null) this.set({ system }, lagSeconds);
      }
    },
  });
  void lag;
  return {
    observeRequest: ({ outcome, elapsedMs }) => {
      requests.inc({ outcome });
      requestSeconds.observe({ outcome }, elapsedMs / 1000);
    },
    observeUpstreamCall: ({ system, status, elapsedMs }) => {
      upstreamCalls.inc({ system, status });
      upstreamSeconds.observe({ system }, elapsedMs / 1000);
    },
    observeFetch: ({ subgraph, outcome, elapsedMs }) => fetchSeconds.observe({ subgraph, outcome }, elapsedMs / 1000),
    observeDecisionRead: (subjectCount) => {
      decisionReads.inc();
      decisionSubjects.inc(subjectCount);
    },
    render: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}
