import type { LinkTier } from './link-rules.ts';

/** One person-to-be: a source profile or a guest order. Random id, minted once. Booleans are 0 or 1. */
export interface SubjectTable {
  /** `sub_...` */
  id: string;
  /** The customer the subject belongs to now: the own customer id of the oldest member of its set. */
  customer_id: string;
  /** The customer id minted with the subject; it stays resolvable for ever. */
  own_customer_id: string;
  flags: string;
  /** ISO 3166-1 alpha-2; null: unknown, which asks for opt-in. */
  jurisdiction: string | null;
  /** ADULT or MINOR; null: unknown. */
  age_band: string | null;
  is_test: number;
  /** 1: a marketplace's buyer, who may serve ORDER_FULFILLMENT and SERVICE_SUPPORT only. */
  fulfillment_only: number;
  /** Rises with every minted subject; the order of the customer list. */
  created_seq: number;
}

/** The directory row of one profile: who, where, keyed match hashes; never a value. */
export interface SourceProfileTable {
  system: string;
  external_id: string;
  subject_id: string;
  profile_id: string;
  kind: string;
  connector: string | null;
  email_hash: string | null;
  email_verified: number;
  phone_hash: string | null;
  surname_hash: string | null;
  given_hash: string | null;
  given_initial_hash: string | null;
  birth_hash: string | null;
  loyalty_hash: string | null;
  /** Who stated the loyalty number: PROFILE or ACCOUNT; null: nobody. */
  loyalty_from: string | null;
  country: string | null;
  is_test: number;
  do_not_link: number;
  created_at: string | null;
  as_of: string | null;
  sequence: string | null;
  /** Null: known by reference only, no feed has delivered it yet. */
  observed_at: string | null;
  deleted_at: string | null;
}

/** A dated edge between two subjects (`subject_a` < `subject_b`); removed edges stay as history. */
export interface IdentityLinkTable {
  id: string;
  subject_a: string;
  subject_b: string;
  tier: LinkTier;
  /** JSON array of the kinds of keys that matched; never their values. */
  evidence: string;
  linked_at: string;
  removed_at: string | null;
}

export interface IdentityTables {
  subject: SubjectTable;
  source_profile: SourceProfileTable;
  identity_link: IdentityLinkTable;
  customer_alias: { alias: string; customer_id: string };
  subject_key: { subject_id: string; wrapped_key: string | null; destroyed_at: string | null };
  profile_snapshot: { profile_id: string; ciphertext: string; observed_at: string; as_of: string | null };
  loyalty_account: {
    system: string;
    external_id: string;
    profile_external_id: string;
    number_hash: string | null;
    as_of: string | null;
    sequence: string | null;
    deleted_at: string | null;
  };
  /** One row: the last minted `created_seq`; its lock makes identity writers take turns. */
  identity_counter: { id: number; value: number };
}
