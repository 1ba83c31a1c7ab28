import type { SystemId } from './ids.ts';

/** REALTIME: read at request time. NEAR_REALTIME: kept by a feed. DERIVED: computed from other figures. */
export type Lane = 'REALTIME' | 'NEAR_REALTIME' | 'DERIVED';

/** Where a value came from. `sequence` is the source's own version of the record, when it has one. */
export interface Source {
  readonly system: SystemId;
  readonly connector: string;
  readonly reference: string | null;
  readonly sequence: string | null;
  /** The source's own word where the value is one of a list, at most 100 characters; null or absent: values are not words. */
  readonly rawValue?: string | null;
}

/** How old a value is and how far it can be trusted. Instants are ISO 8601 UTC. */
export interface Provenance {
  /** When the source says it was true; null: the source does not say. */
  readonly asOf: string | null;
  /** When we read it. */
  readonly observedAt: string;
  /** Null for DERIVED. */
  readonly source: Source | null;
  readonly lane: Lane;
  /** Older than the source's declared freshness. */
  readonly stale: boolean;
  /** A fallback was used. */
  readonly degraded: boolean;
  /** Of a DERIVED figure; empty otherwise. */
  readonly inputs: readonly Source[];
}

/** Exact decimal text and ISO 4217 code. */
export interface Money {
  readonly amount: string;
  readonly currency: string;
}

/** Whole units of the product's base unit; `bound`: units that may be wrong at 99 %, null when unknown. */
export interface QuantityFigure {
  readonly value: number;
  readonly bound: number | null;
  readonly provenance: Provenance;
}

export interface MoneyFigure {
  readonly value: Money;
  readonly provenance: Provenance;
}
