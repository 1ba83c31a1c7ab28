import type { Config } from './config-schema.ts';
import type { EngineDeps } from '#gateway/executor/engine.ts';
import type { SubgraphAddress } from '#gateway/executor/subgraph-calls.ts';
import type { SystemStatus } from '#domain/catalog/system-status.ts';
import type { Clock } from '#platform/clock.ts';
import type { Logger } from '#platform/log.ts';
import type { UpstreamCall } from '#platform/metrics.ts';
import type { Subgraph } from '#platform/subgraph.ts';
import type { WebhookReceiver } from '#schema/model/webhooks.ts';

/** One connected system as the start-up summary, /readyz and the metrics show it. */
export interface SystemReport {
  readonly id: string;
  readonly connector: string;
  readonly url: string;
  readonly state: 'UP' | 'DEGRADED' | 'DOWN';
  /** Null: nothing was read from the system by feed yet. */
  readonly lagSeconds: number | null;
}

/** The first load of one feed. `rows` grows; `done` once the feed reached the end of the source for the first time. */
export interface FeedProgress {
  readonly system: string;
  readonly feed: string;
  readonly rows: number;
  readonly done: boolean;
}

export interface LoadProgress {
  /** Every feed finished its first run. */
  readonly done: boolean;
  readonly feeds: readonly FeedProgress[];
}

export interface GraphReadiness {
  /** Past decisions of `imports.consents` are in the ledger. */
  readonly consentsImported: boolean;
  readonly firstLoadDone: boolean;
}

/** What wiring.ts builds and the gateway serves: subgraphs over domains over connected systems. */
/** A system that sends webhooks. */
export interface WebhookSystem {
  readonly id: string;
  readonly receive: WebhookReceiver;
  /** Reads the named feeds of the system now; returns at once. */
  readonly nudge: (feeds: readonly string[]) => void;
}

export interface Graph {
  readonly subgraphs: readonly Subgraph[];
  /** Finds subgraphs of other processes; absent: there are none. */
  readonly findRemote?: EngineDeps['findRemote'];
  /** Closes what only subgraphs beside these need, once their requests are over; absent: nothing is kept for them. */
  readonly retainRemotes?: (subgraphs: readonly SubgraphAddress[]) => void;
  /** Systems whose webhooks can be verified; absent: none. */
  readonly webhooks?: readonly WebhookSystem[];
  /** Never touches a system: what is known now. */
  readonly systems: () => readonly SystemReport[];
  /** All that is known of them, for the metrics; absent: none are connected here. Rejects while the database is away. */
  readonly systemStatus?: () => Promise<readonly SystemStatus[]>;
  readonly readiness: () => GraphReadiness;
  readonly loadProgress: () => LoadProgress;
  /** Stops feeds, closes connections and the database. Safe to call twice. */
  readonly close: () => Promise<void>;
}

interface UpstreamDrift {
  readonly system: string;
  readonly operation: string;
  readonly kind: string;
}

export interface GraphDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called after each upstream call; must not throw. */
  readonly onUpstreamCall: (call: UpstreamCall) => void;
  /** Called when an answer of a system is not as its vendor promises; must not throw. */
  readonly onDrift?: (drift: UpstreamDrift) => void;
  /** Called at each read of the consent ledger with its number of subjects; must not throw. */
  readonly onDecisionRead?: (subjectCount: number) => void;
}

/**
 * Signature of `createGraph` of wiring.ts. Resolves once the database is migrated and the subgraphs answer; past consents
 * and feeds load in the background (see readiness).
 * @throws {MortarError} CONFIGURATION_INVALID
 */
export type CreateGraph = (config: Config, deps: GraphDeps) => Promise<Graph>;

/** Counts of one imported consent file; refused lines are told by number and reason, never quoted. */
export interface ConsentImportReport {
  readonly read: number;
  readonly recorded: number;
  readonly known: number;
  readonly refused: number;
  readonly refusals: readonly { readonly line: number; readonly reason: string }[];
}

export interface ImportConsentFileOptions {
  readonly config: Config;
  /** Absolute path of a JSON Lines file. */
  readonly file: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onProgress: (progress: { readonly read: number }) => void;
}

/** Signature of `importConsentFile` of wiring.ts: opens the state of `config`, imports, closes. @throws {MortarError} CONFIGURATION_INVALID */
export type ImportConsentFile = (options: ImportConsentFileOptions) => Promise<ConsentImportReport>;
