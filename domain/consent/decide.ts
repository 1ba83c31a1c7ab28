import { CATEGORIES, isCategory } from '#schema/categories.ts';
import type { GovernedField, RefusalReason, Verdict } from '#schema/model/consent.ts';
import type { SubjectId } from '#schema/model/ids.ts';
import type { Medium, Principal } from '#schema/model/request.ts';
import { type Cell, type Purpose, PURPOSES, ROLE_PURPOSE_CELLS } from '#schema/purposes.ts';
import type { DecisionFacts, OrderRelation } from './facts.ts';
import { isCovered, isRefusedByAny } from './fold.ts';
import { EVERY_MEDIUM, OURSELVES, type UnitMedium } from './states.ts';

/** Who asks for which field, for what, by which medium. */
export interface ConsentQuestion {
  readonly principal: Pick<Principal, 'role' | 'purposes' | 'stores' | 'recipient' | 'customer'>;
  readonly purpose: Purpose | null;
  readonly medium: Medium | null;
  readonly field: GovernedField;
  /** The subjects the logged-in person proved to be; empty for everybody else. */
  readonly provenSelf: ReadonlySet<SubjectId>;
}

export interface DecisionPolicy {
  /** Order relations not confirmed for longer do not count. @default 24 hours */
  readonly relationFreshnessMs: number;
  /** How long orders must be kept by law. @default 2,555 days: seven years */
  readonly legalRetentionDays: number;
}

export const DEFAULT_POLICY: DecisionPolicy = { relationFreshnessMs: 24 * 3_600_000, legalRetentionDays: 2_555 };

const DAY_MS = 86_400_000;
const ALLOWED: Verdict = { allowed: true };
const refused = (reason: RefusalReason): Verdict => ({ allowed: false, reason });

/**
 * The half of the decision that needs no subject: the token, the role or the field never serves the purpose. Null: the
 * facts decide.
 */
export function decideStatically(question: Omit<ConsentQuestion, 'provenSelf'>): Verdict | null {
  const { principal, purpose, field } = question;
  if (purpose === null || !principal.purposes.includes(purpose)) return refused('PURPOSE_NOT_ALLOWED');
  const cell = ROLE_PURPOSE_CELLS[principal.role][purpose];
  if (cell === 'NEVER' || !isCategory(field.category)) return refused('PURPOSE_NOT_ALLOWED');
  return field.purposes.includes(purpose) ? null : refused('PURPOSE_NOT_ALLOWED');
}

/**
 * The one decision whether a governed field of a row may leave. Pure. The row's subjects count with everybody linked to
 * them: flags and refusals are the most restrictive of the set, an order of any member is a basis for all of it, and a
 * grant reaches as far as proof does (see {@link setState}). A subject that is not known is refused.
 */
export function decide(
  question: ConsentQuestion,
  facts: DecisionFacts | null,
  policy: DecisionPolicy = DEFAULT_POLICY,
): Verdict {
  const fixed = decideStatically(question);
  if (fixed !== null) return fixed;
  const { principal, purpose } = question;
  if (facts === null || facts.asked.length === 0 || purpose === null) return refused('CONSENT_REQUIRED');
  const cell = ROLE_PURPOSE_CELLS[principal.role][purpose];
  if (cell === 'SELF') return decideSelf(question, facts);
  if (facts.members.some(({ flags }) => flags === 'ERASED')) return refused('RESTRICTED');
  const restricted = facts.members.some(({ flags }) => flags !== 'NORMAL');
  if (restricted && purpose !== 'LEGAL_OBLIGATION' && principal.role !== 'privacy-officer')
    return refused('RESTRICTED');
  return isOpen(cell, { ...question, purpose }, facts, policy) ? ALLOWED : refused('CONSENT_REQUIRED');
}

function decideSelf(question: ConsentQuestion, facts: DecisionFacts): Verdict {
  if (question.principal.customer === null) return refused('CONSENT_REQUIRED');
  if (!facts.asked.every(({ subject }) => question.provenSelf.has(subject))) return refused('CONSENT_REQUIRED');
  return facts.asked.some(({ flags }) => flags === 'ERASED') ? refused('RESTRICTED') : ALLOWED;
}

type Purposeful = ConsentQuestion & { readonly purpose: Purpose };

function isOpen(cell: Cell, question: Purposeful, facts: DecisionFacts, policy: DecisionPolicy): boolean {
  if (cell === 'BASIS') return hasBasis(question, facts, policy);
  return cell === 'CONSENT' && hasConsent(question, facts);
}

function hasBasis(question: Purposeful, facts: DecisionFacts, policy: DecisionPolicy): boolean {
  const { principal, purpose } = question;
  const anyRelation = (test: (relation: OrderRelation) => boolean): boolean =>
    facts.members.some(({ relations }) => relations.some((relation) => test(relation)));
  switch (purpose) {
    case 'ORDER_FULFILLMENT':
    case 'SERVICE_SUPPORT':
      return anyRelation((relation) => isOpenRelation(relation, facts, policy) && isInReach(relation, principal));
    case 'FRAUD_PREVENTION':
      return !isRefusedByAny(purpose, principal.recipient ?? OURSELVES, facts);
    case 'LEGAL_OBLIGATION':
      // A past order is a fact: it does not go stale, it only ages.
      return (
        principal.role === 'privacy-officer' ||
        anyRelation(({ placedAtMs }) => facts.nowMs - placedAtMs <= policy.legalRetentionDays * DAY_MS)
      );
    default:
      // A purpose never falls back to another basis.
      return false;
  }
}

function isOpenRelation(relation: OrderRelation, { nowMs }: DecisionFacts, policy: DecisionPolicy): boolean {
  return relation.openUntilMs > nowMs && nowMs - relation.syncedAtMs <= policy.relationFreshnessMs;
}

/** Associates reach the orders of their own stores, service jobs every order; nobody else has these cells. */
function isInReach(relation: OrderRelation, principal: ConsentQuestion['principal']): boolean {
  if (principal.role === 'service-job') return true;
  return principal.role === 'associate' && principal.stores.some((store) => store === relation.store);
}

function hasConsent(question: Purposeful, facts: DecisionFacts): boolean {
  const { principal, purpose } = question;
  const definition = PURPOSES[purpose];
  // Until guardians can decide for them, nobody decides for minors. Unknown age or country changes nothing here: a
  // consent cell always needs a grant (OPT_IN), the strictest mechanism there is.
  if (!definition.minors && facts.members.some(({ ageBand }) => ageBand === 'MINOR')) return false;
  // A row that holds something of a marketplace buyer serves fulfillment and service only.
  if (facts.asked.some(({ fulfillmentOnly }) => fulfillmentOnly)) return false;
  if (definition.perRecipient && principal.recipient === null) return false;
  const recipient = principal.recipient ?? OURSELVES;
  return isCovered({ purpose, media: mediaNeeded(question), recipient }, facts);
}

/**
 * The media a grant must cover. A category's media all count, unless the declared medium is one of several; a category
 * without media needs a decision for every medium, unless MARKETING declares the one it is used with.
 */
function mediaNeeded(question: Pick<Purposeful, 'field' | 'medium' | 'purpose'>): readonly UnitMedium[] {
  const { field, medium, purpose } = question;
  const media: readonly Medium[] = isCategory(field.category) ? CATEGORIES[field.category].media : [];
  if (media.length === 0) return [purpose === 'MARKETING' && medium !== null ? medium : EVERY_MEDIUM];
  return medium !== null && media.includes(medium) ? [medium] : media;
}
