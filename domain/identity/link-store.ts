import { type Transaction, sql } from 'kysely';

import { batchesOf } from '#platform/batches.ts';
import { type KeyChange, type LinkArea, loadLinkArea } from './link-area.ts';
import { type LinkEdge, connectedSets, linkProfiles } from './link-rules.ts';
import { mintId } from './subjects.ts';
import type { IdentityTables } from './tables.ts';
import { type SubjectId, toSubjectId } from '#schema/model/ids.ts';

export interface RelinkOptions {
  readonly sizeCap: number;
  /** ISO 8601 UTC: dates new and removed links. */
  readonly at: string;
}

/**
 * Brings links and customer ids in line after profiles changed, whatever the changes were. Touches only what shares keys
 * or links with them. Call it under the identity lock, in the transaction that wrote the profiles.
 * Cost: a few statements a call, not a profile.
 * @returns everybody whose links or customer may have changed
 */
export async function relink(
  trx: Transaction<IdentityTables>,
  changes: readonly KeyChange[],
  options: RelinkOptions,
): Promise<readonly SubjectId[]> {
  if (changes.length === 0) return [];
  const area = await loadLinkArea(trx, changes, options.sizeCap);
  const wanted = linkProfiles(area.candidates, { sizeCap: options.sizeCap, crowdedKeys: area.crowdedKeys });
  await replaceLinks(trx, { area, wanted, at: options.at });
  await assignCustomers(trx, connectedSets(area.subjects, wanted));
  return area.subjects;
}

async function replaceLinks(
  trx: Transaction<IdentityTables>,
  plan: { readonly area: LinkArea; readonly wanted: readonly LinkEdge[]; readonly at: string },
): Promise<void> {
  const contentOf = (edge: { a: string; b: string; tier: string; evidence: string }): string =>
    [edge.a, edge.b, edge.tier, edge.evidence].join(' ');
  const wanted = plan.wanted.map((edge) => ({ ...edge, evidence: JSON.stringify(edge.evidence) }));
  const wantedContents = new Set(wanted.map(contentOf));
  const storedContents = new Set(plan.area.links.map(contentOf));

  const lapsed = plan.area.links.filter((link) => !wantedContents.has(contentOf(link)));
  for (const batch of batchesOf(lapsed)) {
    await trx
      .updateTable('identity_link')
      .set({ removed_at: plan.at })
      .where(
        'id',
        'in',
        batch.map((link) => link.id),
      )
      .execute();
  }
  const fresh = wanted.filter((edge) => !storedContents.has(contentOf(edge)));
  for (const batch of batchesOf(fresh)) {
    await trx
      .insertInto('identity_link')
      .values(
        batch.map((edge) => ({
          id: mintId('lnk'),
          subject_a: edge.a,
          subject_b: edge.b,
          tier: edge.tier,
          evidence: edge.evidence,
          linked_at: plan.at,
        })),
      )
      .execute();
  }
}

/** Gives every member of a set the own customer id of the set's oldest member; the others become aliases of it. */
async function assignCustomers(
  trx: Transaction<IdentityTables>,
  sets: ReadonlyMap<SubjectId, readonly SubjectId[]>,
): Promise<void> {
  const rows = new Map<string, { own: string; current: string; seq: number }>();
  for (const batch of batchesOf([...sets.keys()])) {
    const found = await trx
      .selectFrom('subject')
      .select(['id', 'own_customer_id', 'customer_id', 'created_seq'])
      .where('id', 'in', batch)
      .execute();
    for (const row of found) {
      rows.set(row.id, { own: row.own_customer_id, current: row.customer_id, seq: row.created_seq });
    }
  }
  const moved: { id: SubjectId; own: string; customer: string }[] = [];
  for (const set of new Set(sets.values())) {
    const members = set.flatMap((id) => {
      const row = rows.get(id);
      return row === undefined ? [] : [{ id: toSubjectId(id), ...row }];
    });
    const head = members.reduce((oldest, member) => (member.seq < oldest.seq ? member : oldest), members[0]!);
    for (const { id, own, current } of members) if (current !== head.own) moved.push({ id, own, customer: head.own });
  }
  for (const batch of batchesOf(moved)) await moveSubjects(trx, batch);
}

async function moveSubjects(
  trx: Transaction<IdentityTables>,
  moved: readonly { readonly id: SubjectId; readonly own: string; readonly customer: string }[],
): Promise<void> {
  const values = sql.join(moved.map(({ id, customer }) => sql`(${id}, ${customer})`));
  await sql`with moved (id, customer_id) as (values ${values})
    update subject set customer_id = moved.customer_id from moved where moved.id = subject.id`.execute(trx);
  await trx
    .deleteFrom('customer_alias')
    .where(
      'alias',
      'in',
      moved.map(({ own }) => own),
    )
    .execute();
  const aliases = moved.flatMap(({ own, customer }) =>
    own === customer ? [] : [{ alias: own, customer_id: customer }],
  );
  if (aliases.length > 0) await trx.insertInto('customer_alias').values(aliases).execute();
}
