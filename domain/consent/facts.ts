import type { SubjectId } from '#schema/model/ids.ts';
import type { ConsentSlot, SubjectFlags } from './states.ts';

/** An order of a subject, as far as decisions need it. Epoch milliseconds. */
export interface OrderRelation {
  /** The store concerned; null: none. */
  readonly store: string | null;
  /** The partner that ships it; null: ourselves. */
  readonly recipient: string | null;
  readonly placedAtMs: number;
  readonly openUntilMs: number;
  readonly syncedAtMs: number;
}

/** What a decision knows of one subject. */
export interface SubjectFacts {
  readonly subject: SubjectId;
  /**
   * The same for subjects joined by SAME_SOURCE or VERIFIED_KEY links, one of them: a grant reaches all of its proof
   * group and nobody beyond. Weaker links make one set of several groups.
   */
  readonly proofGroup: SubjectId;
  readonly flags: SubjectFlags;
  /** ISO 3166-1 alpha-2; null: unknown, the strictest rules hold. */
  readonly jurisdiction: string | null;
  /** Null: unknown, the strictest rules hold. */
  readonly ageBand: 'ADULT' | 'MINOR' | null;
  /** A marketplace buyer: may serve ORDER_FULFILLMENT and SERVICE_SUPPORT only. */
  readonly fulfillmentOnly: boolean;
  readonly slots: readonly ConsentSlot[];
  readonly relations: readonly OrderRelation[];
}

/** What one decision looks at: the row's subjects, everybody linked with them (themselves included), and the time. */
export interface DecisionFacts {
  /** By the database's clock. */
  readonly nowMs: number;
  readonly asked: readonly SubjectFacts[];
  readonly members: readonly SubjectFacts[];
}
