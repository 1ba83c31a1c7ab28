import type { OrderState } from '#schema/model/records.ts';

/** One order of ours, joined from the facets of all systems. */
export interface OrderDirectoryTable {
  /** `ord_...` */
  id: string;
  /** The retailer's order number that ties facets together; null: a facet that stands alone. */
  order_number: string | null;
  state: OrderState;
  channel: string | null;
  /** Epoch milliseconds; 0: no system says when. The list's sort key. */
  placed_at: number;
  /** The buyer's subject. */
  subject_id: string;
  /** `loc_...` of the store or warehouse concerned. */
  location_id: string | null;
  /** Epoch milliseconds of the last change a system stated; null: none says. */
  updated_at: number | null;
}

/** One facet: an order as one system carries it; never a personal value. */
export interface OrderReferenceTable {
  system: string;
  external_id: string;
  order_id: string;
  order_number: string | null;
  connector: string;
  state: OrderState;
  vendor_state: string;
  channel: string | null;
  placed_at: number | null;
  location_id: string | null;
  subject_id: string;
  /** PROFILE, MARKETPLACE_BUYER, GUEST, or ANONYMOUS when the facet names nobody. */
  buyer_kind: string;
  /** Epoch milliseconds. */
  updated_at: number | null;
  sequence: string | null;
  as_of: string | null;
  observed_at: string;
  deleted_at: string | null;
}

export interface OrderTables {
  order_directory: OrderDirectoryTable;
  order_reference: OrderReferenceTable;
  /** Ids of orders that were joined into another one stay resolvable. */
  order_alias: { alias: string; order_id: string };
  /** What consent decisions read. Instants are epoch milliseconds; an order is open while now < `open_until`. */
  order_relation: {
    subject_id: string;
    order_id: string;
    /** `loc_...`; null: no place is concerned. */
    store: string | null;
    /** The registered recipient the order was placed with; null: ourselves. */
    recipient: string | null;
    placed_at: number;
    open_until: number;
    /** When a feed last confirmed the relation. */
    synced_at: number;
  };
  /** Values of orders that cannot be read at request time, as ciphertext under the buyer subject's key. */
  order_snapshot: { order_id: string; system: string; external_id: string; subject_id: string; ciphertext: string };
}
