import type { CustomerId, ExternalRef, SubjectId } from '#schema/model/ids.ts';

/** Port of the identity domain: who a logged-in person proved to be. */
export interface ProvenSubjects {
  /** The customer's subjects joined by SAME_SOURCE or VERIFIED_KEY links; empty: no such customer. */
  readonly provenSubjects: (customer: CustomerId) => Promise<ReadonlySet<SubjectId>>;
}

/** Port of the identity domain: everybody linked to a customer. */
export interface CustomerMembers extends ProvenSubjects {
  /** All member subjects, oldest first; a joined (alias) id answers its customer's; null: no such customer. */
  readonly memberSubjects: (customer: CustomerId) => Promise<readonly SubjectId[] | null>;
}

/** Port of the identity domain: the subjects behind records of other systems. */
export interface SubjectMinter {
  /** Subjects in input order; a record not seen before gets its subject now, so that consents may come before profiles. */
  readonly ensureSubjects: (refs: readonly ExternalRef[]) => Promise<readonly { readonly subject: SubjectId }[]>;
}
