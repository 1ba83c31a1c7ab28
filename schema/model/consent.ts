import type { SubjectId } from './ids.ts';
import type { RequestContext } from './request.ts';

export type RefusalReason = 'CONSENT_REQUIRED' | 'PURPOSE_NOT_ALLOWED' | 'RESTRICTED' | 'LEDGER_UNAVAILABLE';

/** What the SDL says of a governed field: `@personalData(category, purposes)` at `coordinate` (`Type.field`). */
export interface GovernedField {
  readonly coordinate: string;
  readonly category: string;
  readonly purposes: readonly string[];
}

export type Verdict = { readonly allowed: true } | { readonly allowed: false; readonly reason: RefusalReason };

/** Decides governed fields for one fetch: decisions of one tick share one ledger read, and the reader dies with the fetch. */
export interface ConsentDecider {
  /**
   * Whether the field may leave for every subject of the row (most restrictive of the set). Never throws: a failed or
   * late ledger read answers LEDGER_UNAVAILABLE. An empty set of subjects is refused.
   */
  decide(field: GovernedField, subjects: readonly SubjectId[]): Promise<Verdict>;
}

/** Port of the consent domain, used by every subgraph. */
export interface ConsentDeciders {
  /** A fresh decider for one subgraph fetch. */
  forFetch(request: RequestContext): ConsentDecider;
}

/** Port of the identity domain: encrypts personal values at rest under the subject's own key. */
export interface SubjectCipher {
  /** Ciphertexts in input order. Cost: one read of keys per call. */
  encrypt(values: readonly { readonly subject: SubjectId; readonly plaintext: string }[]): Promise<readonly string[]>;
  /** Plaintexts in input order; null when the subject's key was destroyed. */
  decrypt(
    values: readonly { readonly subject: SubjectId; readonly ciphertext: string }[],
  ): Promise<readonly (string | null)[]>;
}
