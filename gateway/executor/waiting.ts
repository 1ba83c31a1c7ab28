/**
 * Whether anybody still waits for the answer of one fetch. One listener, told once: an AbortSignal for each fetch would
 * cost more than everything else we do for a small one.
 */
export interface Waiting {
  readonly isOver: boolean;
  /** Called when nobody waits any longer because the client left or the time is over; null: nobody wants to know. */
  onOver: (() => void) | null;
}
