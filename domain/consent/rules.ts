import { type Purpose, PURPOSES } from '#schema/purposes.ts';
import type { Medium } from '#schema/model/request.ts';
import { type ConsentUnit, type Decision, EVERY_MEDIUM, EVERY_RECIPIENT, OURSELVES } from './states.ts';

/** A decision as people and files state it: null medium is every medium, null recipient is ourselves. */
export interface StatedDecision {
  readonly purpose: Purpose;
  readonly medium: Medium | null;
  readonly recipient: string | null;
  readonly decision: Decision;
}

export type RuleVerdict =
  | { readonly ok: true; readonly unit: ConsentUnit; readonly decision: Decision }
  | { readonly ok: false; readonly reason: string };

const RECIPIENT = /^[a-z][a-z0-9-]{0,39}$/;

const reject = (reason: string): RuleVerdict => ({ ok: false, reason });

/**
 * What the ledger may record of a stated decision, or why it may not. A refusal of a purpose that rests on an opt-out is
 * an objection. A refusal to share without a named partner covers every partner; a grant to share always names one.
 */
export function ruleOn(stated: StatedDecision, recipients: ReadonlySet<string>): RuleVerdict {
  const { purpose, medium, decision } = stated;
  const definition = PURPOSES[purpose];
  const named = stated.recipient === OURSELVES ? null : stated.recipient;
  if (definition.mechanism === 'OTHER_BASIS') {
    return reject(`${purpose} does not rest on consent: it can be neither granted nor refused.`);
  }
  if (decision === 'OBJECT' && !definition.objectable) return reject(`Nobody can object to ${purpose}.`);
  if (named !== null && !RECIPIENT.test(named)) return reject('The recipient is not a partner id.');
  if (decision === 'GRANT') {
    if (definition.perRecipient && named === null) return reject(`A grant of ${purpose} names one recipient.`);
    if (named !== null && !recipients.has(named)) return reject('The recipient is not registered.');
  }
  const everyone = definition.perRecipient ? EVERY_RECIPIENT : OURSELVES;
  return {
    ok: true,
    unit: { purpose, medium: medium ?? EVERY_MEDIUM, recipient: named ?? everyone },
    decision: definition.mechanism === 'OPT_OUT' && decision !== 'GRANT' ? 'OBJECT' : decision,
  };
}
