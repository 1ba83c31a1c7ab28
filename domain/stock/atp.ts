// Available to promise, as design fixes it:
//   ATP(s,n,c) = max(0, supply - committed (unless netted) - inflight - held - protect - ring)
// Pure arithmetic over whole base units; who is asked and what is believed is decided elsewhere.

/** Why a stated figure is not offered; it stays visible. */
export type QuarantineReason = 'NEGATIVE' | 'NOT_WHOLE' | 'ABSURD';

/** A figure above is taken for a mistake of the source: no single place holds ten million units of one item. */
export const ABSURD_UNITS = 10_000_000;

/** What the authority states of one item at one place. `committed` null: the source does not state it. */
export interface StatedStock {
  readonly onHand: number;
  readonly committed: number | null;
  /** States already subtracted from `onHand` by the source. */
  readonly nets: readonly ('committed' | 'held')[];
}

/** Null: the figures may be offered. */
export function quarantineReason(stated: StatedStock): QuarantineReason | null {
  for (const figure of [stated.onHand, stated.committed ?? 0]) {
    if (!Number.isInteger(figure)) return 'NOT_WHOLE';
    if (figure < 0) return 'NEGATIVE';
    if (figure > ABSURD_UNITS) return 'ABSURD';
  }
  return null;
}

/** The terms of the formula at one location, whole units, none negative. */
export interface AtpTerms {
  readonly supply: number;
  readonly committed: number;
  readonly inFlight: number;
  readonly held: number;
  readonly protection: number;
  readonly ringFenced: number;
}

/**
 * The terms of one location. In-flight commits, holds and ring-fenced quotas are 0 until the graph takes holds itself.
 * @param bufferUnits the channel's fixed buffer per location
 */
export function toAtpTerms(stated: StatedStock, bufferUnits: number): AtpTerms {
  return {
    supply: stated.onHand,
    committed: stated.nets.includes('committed') ? 0 : (stated.committed ?? 0),
    inFlight: 0,
    held: 0,
    protection: bufferUnits,
    ringFenced: 0,
  };
}

/** Units that may be promised from one location: never negative, never more than the supply. */
export function availableToPromise(terms: AtpTerms): number {
  const { supply, committed, inFlight, held, protection, ringFenced } = terms;
  return Math.max(0, supply - committed - inFlight - held - protection - ringFenced);
}

/** The terms of several locations together, for an explanation; the promise itself is the sum of the locations' promises. */
export function sumTerms(terms: readonly AtpTerms[]): AtpTerms {
  const total = (pick: (term: AtpTerms) => number): number => terms.reduce((sum, term) => sum + pick(term), 0);
  return {
    supply: total((term) => term.supply),
    committed: total((term) => term.committed),
    inFlight: total((term) => term.inFlight),
    held: total((term) => term.held),
    protection: total((term) => term.protection),
    ringFenced: total((term) => term.ringFenced),
  };
}
