import { toSubjectId } from '#schema/model/ids.ts';
import { ROLE_PURPOSE_CELLS } from '#schema/purposes.ts';
import type { GovernedField, RefusalReason, Verdict } from '#schema/model/consent.ts';
import type { SubjectId } from '#schema/model/ids.ts';
import type { Principal, RequestContext } from '#schema/model/request.ts';
import type { FieldRule } from './rule-map.ts';
import type { SubgraphContext } from './subgraph.ts';

/** What becomes of one field of one row. `refused`: null and a notice; `denied`: null and an error SCOPE_REQUIRED. */
export type Access =
  | { readonly kind: 'open' }
  | { readonly kind: 'refused'; readonly reason: RefusalReason }
  | { readonly kind: 'denied'; readonly scopes: readonly (readonly string[])[] };

const open: Access = { kind: 'open' };
const refused = (reason: RefusalReason): Access => ({ kind: 'refused', reason });

/** Whether the principal holds what `scopes` ask: one of the inner lists, completely. */
function holdsScopes(principal: Pick<Principal, 'scopes'>, scopes: FieldRule['scopes']): boolean {
  const held: ReadonlySet<string> = principal.scopes;
  return scopes === null || scopes.some((all) => all.every((scope) => held.has(scope)));
}

/** Whether scopes and authentication of a rule let the request at the field at all; persons are not looked at. */
export function mayReadField(rule: FieldRule, { principal }: Pick<RequestContext, 'principal'>): boolean {
  return principal !== undefined && holdsScopes(principal, rule.scopes);
}

/** Whether (role, purpose, field) can be served to anyone at all: the part of the decision that needs no subject. */
export function mayServePurpose(field: GovernedField, request: Pick<RequestContext, 'principal' | 'purpose'>): boolean {
  if (request.purpose === null || !field.purposes.includes(request.purpose)) return false;
  const cell = ROLE_PURPOSE_CELLS[request.principal.role]?.[request.purpose];
  return cell !== undefined && cell !== 'NEVER';
}

/** The row's subjects; empty when the row does not say, so that the field is refused. */
export function subjectsOf(rule: FieldRule, row: unknown): readonly SubjectId[] {
  if (rule.subjectsPath === null || typeof row !== 'object' || row === null) return [];
  const value: unknown = Reflect.get(row, rule.subjectsPath);
  if (!Array.isArray(value)) return [];
  const texts = value.filter((entry): entry is string => typeof entry === 'string' && entry !== '');
  // One unreadable entry hides a subject whose denial could count: then none is known.
  return texts.length === value.length ? texts.map(toSubjectId) : [];
}

// A decider that answers nothing at all is a broken one.
const toAccess = (verdict: Verdict | undefined): Access => {
  if (verdict === undefined) return refused('LEDGER_UNAVAILABLE');
  return verdict.allowed ? open : refused(verdict.reason);
};

/**
 * The one decision about a field of a row, for every rule engine. Fails closed: no purpose, no subjects or a decider
 * that throws refuse the field. Cost: at most one call of the fetch's decider; a promise only then. Never throws.
 */
export function decideAccess(rule: FieldRule, row: unknown, context: SubgraphContext): Access | Promise<Access> {
  const { request } = context;
  if (rule.authenticated && request.principal === undefined) return { kind: 'denied', scopes: [] };
  if (!holdsScopes(request.principal, rule.scopes)) return { kind: 'denied', scopes: rule.scopes ?? [] };
  if (rule.governed === null) return open;
  const told = (access: Access): Access => {
    request.trace?.decide(rule.coordinate, access.kind === 'refused' ? access.reason : null);
    return access;
  };
  if (!mayServePurpose(rule.governed, request)) return told(refused('PURPOSE_NOT_ALLOWED'));
  const subjects = subjectsOf(rule, row);
  if (subjects.length === 0) return told(refused('CONSENT_REQUIRED'));
  const unread = (): Access => told(refused('LEDGER_UNAVAILABLE'));
  try {
    return context.decider.decide(rule.governed, subjects).then((verdict) => told(toAccess(verdict)), unread);
  } catch {
    return unread();
  }
}
