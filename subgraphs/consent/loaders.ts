import type DataLoader from 'dataloader';

import type { ConsentState } from '#domain/consent/overview.ts';
import type { ConsentService } from '#domain/consent/service.ts';
import { batchLoader } from '#platform/references.ts';
import { type CustomerId, type SubjectId, toCustomerId } from '#schema/model/ids.ts';
import type { RequestContext } from '#schema/model/request.ts';

/** Port of the identity domain: whose decisions a caller may see. */
export interface CustomerSubjects {
  /**
   * The subjects of each customer that this request may see, in input order; null: absent or not the caller's. For a
   * customer itself only the subjects it proved to be.
   */
  readonly subjectsOf: (
    customers: readonly CustomerId[],
    request: RequestContext,
  ) => Promise<readonly (readonly SubjectId[] | null)[]>;
}

/** The loaded row of a Customer; `subjects` is what `@subject` reads. */
export interface CustomerRow {
  readonly id: string;
  readonly subjects: readonly SubjectId[];
}

export interface ConsentLoaders {
  readonly customers: DataLoader<string, CustomerRow | null, string>;
  readonly consents: DataLoader<readonly SubjectId[], readonly ConsentState[] | null, string>;
}

export interface LoaderDependencies {
  readonly consent: ConsentService;
  readonly customers: CustomerSubjects;
}

/** Loaders of one request: customers cost one read, their consents one statement. */
export function createConsentLoaders(
  { consent, customers }: LoaderDependencies,
  request: RequestContext,
): ConsentLoaders {
  return {
    customers: batchLoader<string, CustomerRow>(async (ids) => {
      const sets = await customers.subjectsOf(ids.map(toCustomerId), request);
      return ids.map((id, index) => toRow(id, sets[index] ?? null));
    }),
    consents: batchLoader<readonly SubjectId[], readonly ConsentState[]>(async (sets) => consent.consentsOf(sets), {
      cacheKey: (subjects) => subjects.join(' '),
    }),
  };
}

function toRow(id: string, subjects: readonly SubjectId[] | null): CustomerRow | null {
  return subjects === null ? null : { id, subjects };
}
