import { inBatches } from '#platform/batches.ts';
import type { Changes } from '#platform/changes.ts';
import type { Database } from '#platform/database.ts';
import type { SubjectId } from '#schema/model/ids.ts';
import type { IdentityTables } from './tables.ts';

export interface CustomerChangesOptions {
  readonly database: Database;
  readonly changes: Pick<Changes, 'isHeard' | 'publish'>;
  readonly onError?: (error: unknown) => void;
}

/**
 * Tells watchers of customers that something of these subjects changed: under every id a customer can be asked by, since
 * joined ids stay resolvable. Returns at once and never throws. Cost: one or two reads, none when nobody listens.
 */
export type TellCustomerChange = (subjects: readonly SubjectId[]) => void;

export function createCustomerChanges({ database, changes, onError }: CustomerChangesOptions): TellCustomerChange {
  const db = database.as<IdentityTables>().read;
  const idsOf = async (subjects: readonly SubjectId[]): Promise<readonly string[]> => {
    const sets = await inBatches([...new Set(subjects)], async (batch) =>
      db.selectFrom('subject').select('customer_id').where('id', 'in', batch).execute(),
    );
    const members = await inBatches([...new Set(sets.map((row) => row.customer_id))], async (batch) =>
      db.selectFrom('subject').select('own_customer_id').where('customer_id', 'in', batch).execute(),
    );
    return members.map((row) => row.own_customer_id);
  };
  return (subjects) => {
    if (subjects.length === 0 || !changes.isHeard()) return;
    idsOf(subjects).then(
      (ids) => changes.publish('customer', ids),
      (error: unknown) => {
        // Who is concerned is not known: all look again.
        changes.publish('customer', null);
        onError?.(error);
      },
    );
  };
}
