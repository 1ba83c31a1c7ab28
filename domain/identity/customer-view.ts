import { type LinkTier, connectedSets } from './link-rules.ts';
import type { Member, MemberLink } from './members.ts';
import type { CustomerId, SubjectId } from '#schema/model/ids.ts';
import type { RequestContext } from '#schema/model/request.ts';

export interface CustomerProfile extends Member {
  /** The strongest link that joins the profile to another one shown; null: none does. */
  readonly link: MemberLink | null;
}

/** A customer as one request may see it. */
export interface CustomerView {
  readonly id: CustomerId;
  /** Subjects of the profiles shown; every one of them must consent. */
  readonly subjects: readonly SubjectId[];
  /** Oldest first; never empty. */
  readonly profiles: readonly CustomerProfile[];
}

/** Links that prove: the person showed to hold the key. Weaker ones never widen what a person may see. */
const PROOF_TIERS: ReadonlySet<LinkTier> = new Set(['SAME_SOURCE', 'VERIFIED_KEY']);

const TIER_ORDER: readonly LinkTier[] = ['SAME_SOURCE', 'VERIFIED_KEY', 'PHONE_AND_NAME', 'PROBABLE'];

/** Whether the request may see marketplace buyers: they handed their details over for an order, for nothing else. */
export function maySeeMarketplaceBuyers(request: Pick<RequestContext, 'purpose'>): boolean {
  return request.purpose === 'ORDER_FULFILLMENT' || request.purpose === 'SERVICE_SUPPORT';
}

/** Whether the role may see customers at all. Partners and analysts may not until pseudonymous ids exist. */
export function maySeeCustomers({ principal }: Pick<RequestContext, 'principal'>): boolean {
  return principal.role !== 'partner' && principal.role !== 'analyst';
}

/** The subjects a customer proved to be: reached from its own subject over proving links. */
export function provenFrom(
  own: SubjectId,
  subjects: readonly SubjectId[],
  links: readonly MemberLink[],
): ReadonlySet<SubjectId> {
  const known = new Set([own, ...subjects]);
  const proofs = links.filter(({ a, b, tier }) => PROOF_TIERS.has(tier) && known.has(a) && known.has(b));
  return new Set(connectedSets([...known], proofs).get(own) ?? [own]);
}

/**
 * One set of members as the request may see it; null: absent, or not the caller's. A customer sees the profiles it
 * proved to be its own, under its own id.
 */
export function viewOf(
  members: readonly Member[],
  links: readonly MemberLink[],
  request: Pick<RequestContext, 'principal' | 'purpose'>,
): CustomerView | null {
  const head = members[0];
  if (head === undefined || !maySeeCustomers(request)) return null;
  const { principal } = request;
  let visible = members.filter((member) => member.kind !== 'MARKETPLACE_BUYER' || maySeeMarketplaceBuyers(request));
  let id = head.customer;
  if (principal.role === 'customer') {
    const own = members.find((member) => member.ownCustomer === principal.customer);
    if (own === undefined) return null;
    const proven = provenFrom(
      own.subject,
      members.map((member) => member.subject),
      links,
    );
    visible = visible.filter((member) => proven.has(member.subject));
    id = own.ownCustomer;
  }
  if (visible.length === 0) return null;
  const subjects = visible.map((member) => member.subject);
  const shown = new Set(subjects);
  const inside = links.filter(({ a, b }) => shown.has(a) && shown.has(b));
  return {
    id,
    subjects,
    profiles: visible.map((member) => ({ ...member, link: strongestLink(member.subject, inside) })),
  };
}

function strongestLink(subject: SubjectId, links: readonly MemberLink[]): MemberLink | null {
  const [strongest] = links
    .filter(({ a, b }) => a === subject || b === subject)
    .toSorted((x, y) => TIER_ORDER.indexOf(x.tier) - TIER_ORDER.indexOf(y.tier) || (x.linkedAt < y.linkedAt ? -1 : 1));
  return strongest ?? null;
}
