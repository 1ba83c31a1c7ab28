import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

import { addStreamMetrics, type StreamFact } from './stream-metrics.ts';
import { addSystemMetrics, type SystemFacts } from './system-metrics.ts';

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
  /** An answer of a connected system that was not as the vendor promises. */
  readonly observeDrift: (drift: {
    readonly system: string;
    readonly operation: string;
    readonly kind: string;
  }) => void;
  readonly observeFetch: (fetch: {
    readonly subgraph: string;
    readonly outcome: string;
    readonly elapsedMs: number;
  }) => void;
  /** One read of the consent ledger for the decisions of one fetch. */
  readonly observeDecisionRead: (subjectCount: number) => void;
  readonly observeStream: (fact: StreamFact) => void;
  /** The supergraph that is served from now on, or that one was refused. */
  readonly observeGraph: (
    change: { readonly kind: 'loaded'; readonly id: string; readonly atMs: number } | { readonly kind: 'refused' },
  ) => void;
  /** Prometheus text format and its content type. */
  readonly render: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

export interface MetricsOptions {
  /** Every connected system as it stands; read at every scrape. Absent: this process has none. */
  readonly systems?: () => Promise<readonly SystemFacts[]>;
  /** Told when they could not be read. @default nobody */
  readonly onUnreadable?: (error: unknown) => void;
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
  const drifts = new Counter({
    name: 'mortar_upstream_drift_total',
    help: 'Answers that were not as the vendor promises: an unreadable shape or row, or a word of a closed list nobody knows.',
    labelNames: ['system', 'operation', 'kind'],
    registers,
  });
  const fetchSeconds = new Histogram({
    name: 'mortar_subgraph_fetch_duration_seconds',
    help: 'Time of subgraph fetches.',
    labelNames: ['subgraph', 'outcome'],
    buckets: DURATION_BUCKETS,
    registers,
  });
  // By subgraph and outcome, both of closed lists.
  const fetchesBy = new Map<string, Histogram.Internal<'subgraph' | 'outcome'>>();
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
  const observeStream = addStreamMetrics(registry);
  const observeGraph = addGraphMetrics(registry);
  const refresh = options.systems && addSystemMetrics(registry, options.systems);
  return {
    observeRequest: ({ outcome, elapsedMs }) => {
      requests.inc({ outcome });
      requestSeconds.observe({ outcome }, elapsedMs / 1000);
    },
    observeUpstreamCall: ({ system, status, elapsedMs }) => {
      upstreamCalls.inc({ system, status });
      upstreamSeconds.observe({ system }, elapsedMs / 1000);
    },
    observeDrift: ({ system, operation, kind }) => drifts.inc({ system, operation, kind }),
    observeFetch: ({ subgraph, outcome, elapsedMs }) => {
      // prom-client checks and joins the labels at each look-up.
      const key = `${subgraph} ${outcome}`;
      const known = fetchesBy.get(key) ?? fetchSeconds.labels({ subgraph, outcome });
      fetchesBy.set(key, known);
      known.observe(elapsedMs / 1000);
    },
    observeDecisionRead: (subjectCount) => {
      decisionReads.inc();
      decisionSubjects.inc(subjectCount);
    },
    observeStream,
    observeGraph,
    render: async () => {
      await refresh?.().catch((error: unknown) => options.onUnreadable?.(error));
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}

function addGraphMetrics(registry: Registry): Metrics['observeGraph'] {
  const registers = [registry];
  const served = new Gauge({
    name: 'mortar_graph_loaded_timestamp_seconds',
    help: 'When the supergraph that is served was loaded; the label tells which, by its hash.',
    labelNames: ['graph'],
    registers,
  });
  const swaps = new Counter({
    name: 'mortar_graph_swaps_total',
    help: 'Supergraphs that were offered: loaded (the first at the start) or refused.',
    labelNames: ['outcome'],
    registers,
  });
  return (change) => {
    swaps.inc({ outcome: change.kind });
    if (change.kind === 'refused') return;
    served.reset();
    served.set({ graph: change.id }, change.atMs / 1_000);
  };
}
