import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';

import type { Database, Dialect } from '#platform/database.ts';
import { MortarError } from '#platform/errors.ts';
import type { SubjectCipher } from '#schema/model/consent.ts';
import { type SubjectId, toCustomerId } from '#schema/model/ids.ts';
import type { Medium, Principal, RequestContext } from '#schema/model/request.ts';
import { isPurpose } from '#schema/purposes.ts';
import { type FactsSnapshot, readFacts } from './facts-reader.ts';
import { exactState } from './fold.ts';
import { claimKey } from './idempotency.ts';
import { appendEvents, type NewConsentEvent } from './ledger.ts';
import { type ConsentState, overviewOf, stateOfUnit, viewOf } from './overview.ts';
import type { CustomerMembers } from './ports.ts';
import { ruleOn } from './rules.ts';
import { type ConsentUnit, type Decision, EVERY_MEDIUM, isRefusal } from './states.ts';
import type { ConsentTables, ConsentTransaction } from './tables.ts';

export interface WithdrawConsentInput {
  /** A customer id; joined (alias) ids work too. */
  readonly customer: string;
  readonly purpose: string;
  /** Null: every medium. */
  readonly medium: Medium | null;
  /** Null: ourselves; for THIRD_PARTY_SHARING: every partner. */
  readonly recipient: string | null;
  /** 1 to 200 characters, chosen by the caller, new for every intent. */
  readonly idempotencyKey: string;
}

export interface RecordConsentInput extends WithdrawConsentInput {
  readonly decision: 'GRANT' | 'DENY';
  /** The id of the notice the person saw; null: not stated. */
  readonly notice: string | null;
}

export type ConsentAnswer =
  | { readonly kind: 'recorded'; readonly state: ConsentState; readonly receipt: string }
  | { readonly kind: 'rejected'; readonly reason: string }
  | { readonly kind: 'conflict'; readonly idempotencyKey: string };

export interface ConsentService {
  /** Durable before it answers. @throws {MortarError} LEDGER_UNAVAILABLE: nothing was recorded; BAD_USER_INPUT. */
  readonly recordConsent: (input: RecordConsentInput, request: RequestContext) => Promise<ConsentAnswer>;
  /** A withdrawal of what was never granted is recorded as well. Durable and failing as {@link recordConsent}. */
  readonly withdrawConsent: (input: WithdrawConsentInput, request: RequestContext) => Promise<ConsentAnswer>;
  /**
   * The states of several sets of subjects, in input order: each what these subjects decided, most restrictive of the
   * set. Null: one of the subjects is not known. Cost: one statement. @throws {MortarError} LEDGER_UNAVAILABLE.
   */
  readonly consentsOf: (
    sets: readonly (readonly SubjectId[])[],
  ) => Promise<readonly (readonly ConsentState[] | null)[]>;
}

export interface ConsentServiceOptions {
  readonly database: Database;
  readonly members: CustomerMembers;
  readonly cipher: SubjectCipher;
  /** Ids of registered recipients. */
  readonly recipients: readonly string[];
  /** Told after a decision is durable whose fields may open or close now. Must not throw. */
  readonly onDecided?: (subjects: readonly SubjectId[]) => void;
  /** Text after `rcp_`, never repeated. @default a random UUID */
  readonly createId?: () => string;
}

interface Command {
  readonly operation: 'record' | 'withdraw';
  readonly input: WithdrawConsentInput;
  readonly decision: Decision;
  readonly notice: string | null;
}

/** The customer's subjects as this caller may touch and see them. */
interface Reach {
  /** Who gets an event, the one addressed first. */
  readonly targets: readonly SubjectId[];
  /** Over whom the answer's state is taken. */
  readonly visible: readonly SubjectId[];
}

interface Work {
  readonly unit: ConsentUnit;
  readonly decision: Decision;
  readonly reach: Reach;
  readonly events: readonly NewConsentEvent[];
}

const NOT_YOURS = 'There is no such customer, or it is not yours to decide for.';
const MAX_KEY_LENGTH = 200;
const MAX_ID_LENGTH = 100;
const NOTICE = /^[\w.:-]{1,100}$/;

/** Refuses inside a transaction: what was claimed is rolled back. */
class Rejection extends Error {}

/**
 * Records what people decide. Tighten wide, loosen narrow: a refusal reaches every subject linked to the customer, a
 * grant only those proven to be the same person; all but the addressed one are marked with it (`via_link`), so that a
 * grant ends with the link that carried it.
 */
export function createConsentService(options: ConsentServiceOptions): ConsentService {
  const { dialect, read } = options.database;
  return {
    recordConsent: async (input, request) =>
      answer(options, request, { operation: 'record', input, decision: input.decision, notice: input.notice }),
    withdrawConsent: async (input, request) =>
      answer(options, request, { operation: 'withdraw', input, decision: 'WITHDRAW', notice: null }),
    consentsOf: async (sets) => {
      const query = { subjects: [...new Set(sets.flat())], purpose: null, withRelations: false };
      const snapshot = await orUnavailable(async () => readFacts(read, dialect, query));
      return sets.map((subjects) => overviewIn(snapshot, subjects));
    },
  };
}

function overviewIn(snapshot: FactsSnapshot, subjects: readonly SubjectId[]): readonly ConsentState[] | null {
  const facts = viewOf(snapshot, subjects);
  return facts === null ? null : overviewOf(facts);
}

async function answer(
  options: ConsentServiceOptions,
  request: RequestContext,
  command: Command,
): Promise<ConsentAnswer> {
  const { input } = command;
  if (input.idempotencyKey.length < 1 || input.idempotencyKey.length > MAX_KEY_LENGTH) {
    throw new MortarError('BAD_USER_INPUT', { message: `\`idempotencyKey\` needs 1 to ${MAX_KEY_LENGTH} characters.` });
  }
  if (command.notice !== null && !NOTICE.test(command.notice)) return rejected('The notice is not a notice id.');
  if (!isPurpose(input.purpose)) return rejected('There is no such purpose; Query.purposes lists them.');
  const stated = { ...input, purpose: input.purpose, decision: command.decision };
  const rule = ruleOn(stated, new Set(options.recipients));
  if (!rule.ok) return rejected(rule.reason);
  return orUnavailable(async () => {
    const reach = await reachOf(options.members, request.principal, input.customer, rule.decision);
    if (reach === null) return rejected(NOT_YOURS);
    if (reach.targets.length === 0)
      return rejected('Nothing of this customer is proven to be one person: no grant can be recorded.');
    const events = await toEvents(options.cipher, request, { ...rule, reach }, command.notice);
    const result = await commit(options, request.principal, command, { ...rule, reach, events });
    if (result.kind === 'recorded') options.onDecided?.(reach.targets);
    return result;
  });
}

async function reachOf(
  port: CustomerMembers,
  principal: Principal,
  customerId: string,
  decision: Decision,
): Promise<Reach | null> {
  if (!principal.scopes.has('consent:write')) return null;
  if (principal.role !== 'customer' && principal.role !== 'privacy-officer') return null;
  if (customerId.length > MAX_ID_LENGTH) return null;
  const members = await port.memberSubjects(toCustomerId(customerId));
  if (members === null || members.length === 0) return null;
  const proven = await port.provenSubjects(toCustomerId(customerId));
  if (principal.role === 'customer') {
    // One may name oneself by any id one proved to be, never by the id of somebody merely linked.
    if (principal.customer === null) return null;
    if (proven.isDisjointFrom(await port.provenSubjects(principal.customer))) return null;
  }
  const provenMembers = members.filter((subject) => proven.has(subject));
  // The addressed subject comes first: one the person proved to be, where there is one.
  const all = [...provenMembers, ...members.filter((subject) => !proven.has(subject))];
  return {
    targets: decision === 'GRANT' ? provenMembers : all,
    visible: principal.role === 'customer' && provenMembers.length > 0 ? provenMembers : members,
  };
}

async function toEvents(
  cipher: SubjectCipher,
  { principal, requestId }: RequestContext,
  { unit, decision, reach }: Omit<Work, 'events'>,
  notice: string | null,
): Promise<readonly NewConsentEvent[]> {
  const plaintext = JSON.stringify({ request: requestId, client: principal.client });
  const evidence = await cipher.encrypt(reach.targets.map((subject) => ({ subject, plaintext })));
  const [addressed] = reach.targets;
  return reach.targets.map((subject, index) => ({
    ...unit,
    subject,
    type: 'DECISION',
    decision,
    decidedAt: null,
    actor: `${principal.role}:${principal.client}`,
    source: 'api',
    viaLink: subject === addressed ? null : (addressed ?? null),
    notice,
    evidence: evidence[index] ?? null,
    naturalKey: null,
  }));
}

async function commit(
  options: ConsentServiceOptions,
  principal: Principal,
  { operation, input, notice }: Command,
  work: Work,
): Promise<ConsentAnswer> {
  const { dialect, write } = options.database.as<ConsentTables>();
  const receipt = `rcp_${options.createId?.() ?? randomUUID()}`;
  try {
    return await write.transaction().execute(async (trx): Promise<ConsentAnswer> => {
      const at = await databaseNow(trx, dialect);
      const claim = await claimKey(trx, {
        principal: `${principal.role}:${principal.client}:${principal.customer ?? ''}`,
        key: input.idempotencyKey,
        input: { operation, customer: input.customer, notice, decision: work.decision, ...work.unit },
        at,
      });
      if (claim.kind === 'conflict') return { kind: 'conflict', idempotencyKey: input.idempotencyKey };
      // Only the line below stores answers.
      if (claim.kind === 'replay') return claim.answer as ConsentAnswer;
      if (work.decision === 'GRANT') await refuseUnderStandingRefusal(trx, dialect, work);
      await appendEvents(trx, dialect, work.events, at);
      const result = { kind: 'recorded', state: await stateNow(trx, dialect, work), receipt } as const;
      await claim.store(result);
      return result;
    });
  } catch (error) {
    if (error instanceof Rejection) return rejected(error.message);
    throw error;
  }
}

/** A grant that a wider refusal keeps from having any effect is not taken: its answer would read like a yes. */
async function refuseUnderStandingRefusal(trx: ConsentTransaction, dialect: Dialect, work: Work): Promise<void> {
  const { unit, reach } = work;
  if (unit.medium === EVERY_MEDIUM) return;
  const query = { subjects: reach.targets, purpose: unit.purpose, withRelations: false };
  const facts = viewOf(await readFacts(trx, dialect, query), reach.targets);
  if (facts === null) throw new Rejection(NOT_YOURS);
  const wider = { ...unit, medium: EVERY_MEDIUM } as const;
  if (facts.members.some((member) => isRefusal(exactState(member, wider, facts).state))) {
    throw new Rejection(
      `A wider refusal of ${unit.purpose} stands; grant it for every medium before one medium alone.`,
    );
  }
}

async function stateNow(trx: ConsentTransaction, dialect: Dialect, { unit, reach }: Work): Promise<ConsentState> {
  const query = { subjects: reach.visible, purpose: unit.purpose, withRelations: false };
  const facts = viewOf(await readFacts(trx, dialect, query), reach.visible);
  if (facts === null) throw new Rejection(NOT_YOURS);
  return stateOfUnit(unit, facts);
}

/** The transaction's time, ISO 8601 with milliseconds, by the database's clock. */
export async function databaseNow(trx: ConsentTransaction, dialect: Dialect): Promise<string> {
  const now =
    dialect === 'sqlite' ? sql`unixepoch('subsec') * 1000` : sql`extract(epoch from clock_timestamp()) * 1000`;
  const { rows } = await sql<{ now: number | string }>`select ${now} as now`.execute(trx);
  return new Date(Math.floor(Number(rows[0]?.now))).toISOString();
}

function rejected(reason: string): ConsentAnswer {
  return { kind: 'rejected', reason };
}

async function orUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof MortarError) throw error;
    throw new MortarError('LEDGER_UNAVAILABLE', { cause: error });
  }
}
