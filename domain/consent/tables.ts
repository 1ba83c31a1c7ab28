import type { ColumnType, Generated, Transaction } from 'kysely';

/** One row of the append-only ledger; never updated, never deleted. Instants are ISO 8601 UTC text. */
export interface ConsentEventRow {
  subject: string;
  /** 1, 2, 3 ... without gaps per subject. */
  n: number;
  type: string;
  purpose: string;
  medium: string;
  recipient: string;
  decision: string | null;
  decided_at: string;
  recorded_at: string;
  actor: string;
  source: string;
  via_link: string | null;
  notice: string | null;
  /** Ciphertext under the subject's key. */
  evidence: string | null;
  /** Of an imported line: makes a second import write nothing. */
  natural_key: string | null;
  prev_hash: string;
  hash: string;
}

export interface ConsentTables {
  consent_event: ConsentEventRow;
  consent_current: {
    subject: string;
    purpose: string;
    medium: string;
    recipient: string;
    /** Empty text: addressed to the subject itself. */
    via: string;
    state: string;
    restrictiveness: number;
    decided_at: string;
    n: number;
  };
  consent_outbox: {
    seq: Generated<number>;
    subject: string;
    n: number;
    recorded_at: string;
    published_at: ColumnType<string | null, null | undefined, string>;
  };
  consent_idempotency: {
    principal: string;
    key_hash: string;
    fingerprint: string;
    answer: string;
    recorded_at: string;
  };
}

export type ConsentTransaction = Transaction<ConsentTables>;
