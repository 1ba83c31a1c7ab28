import type { CustomerId, LocationId, SubjectId } from '#schema/model/ids.ts';
import type { RequestContext } from '#schema/model/request.ts';

/** Which orders a request may see at all; consent then decides over their values. */
export type OrderAccess =
  | { readonly kind: 'all' }
  | { readonly kind: 'none' }
  | { readonly kind: 'subjects'; readonly subjects: readonly SubjectId[] }
  | { readonly kind: 'stores'; readonly stores: readonly LocationId[] };

/** Port of the identity domain: who a logged-in person proved to be. */
export interface OwnSubjects {
  readonly provenSubjects: (customer: CustomerId) => Promise<ReadonlySet<SubjectId>>;
}

/**
 * Customers see their own orders, associates those of their stores, jobs and privacy officers all, everybody else none.
 * `history` is one consenting customer's orders: an associate who may personalize sees them from every store.
 */
export function createOrderAccess(
  identity: OwnSubjects,
): (request: RequestContext, of?: 'list' | 'history') => Promise<OrderAccess> {
  return async ({ principal, purpose }, of = 'list') => {
    switch (principal.role) {
      case 'service-job':
      case 'privacy-officer':
        return { kind: 'all' };
      case 'customer': {
        const { customer } = principal;
        return customer === null
          ? { kind: 'none' }
          : { kind: 'subjects', subjects: [...(await identity.provenSubjects(customer))] };
      }
      case 'associate':
        return of === 'history' && purpose === 'PERSONALIZATION'
          ? { kind: 'all' }
          : { kind: 'stores', stores: principal.stores };
      case 'marketer':
      case 'partner':
      case 'analyst':
        return { kind: 'none' };
    }
  };
}
