import type { WorldTruth } from '#sandbox/world-truth.ts';
import type { WorldProfile } from '#sandbox/world/types.ts';
import type { Product } from './product-client.ts';

/** `system externalId`: the name of a profile in the world. */
export const profileKey = ({ system, externalId }: { readonly system: string; readonly externalId: string }): string =>
  `${system} ${externalId}`;

/** The graph's customer of each given profile, by look-up (of the privacy officer); profiles it does not show are absent. */
export async function customersOf(
  product: Product,
  profiles: readonly { readonly system: string; readonly externalId: string }[],
  { client, purpose } = { client: 'privacy-officer', purpose: 'LEGAL_OBLIGATION' },
): Promise<ReadonlyMap<string, string>> {
  const token = await product.token(client);
  const found = new Map<string, string>();
  for (let start = 0; start < profiles.length; start += LOOKUPS) {
    const batch = profiles.slice(start, start + LOOKUPS);
    const names = batch.map((_, index) => `$k${index}: CustomerKey!`).join(', ');
    const fields = batch.map((_, index) => `c${index}: findCustomer(by: $k${index}) { id }`).join(' ');
    const variables = Object.fromEntries(
      batch.map(({ system, externalId }, index) => [`k${index}`, { external: { system, externalId } }]),
    );
    const answer = await product.ask(`query Find(${names}) { ${fields} }`, {
      token,
      purpose,
      variables,
    });
    if (answer.status !== 200 || answer.errors.length > 0) throw new Error(`look-up failed: ${answer.text}`);
    batch.forEach((profile, index) => {
      const id: unknown = answer.data[`c${index}`]?.id;
      if (typeof id === 'string') found.set(profileKey(profile), id);
    });
  }
  return found;
}

/** Root fields one document may have. */
const LOOKUPS = 20;

/** The decisions the sandbox recorded of a profile, oldest first. */
export function decisionsOf(world: WorldTruth, profile: { readonly system: string; readonly externalId: string }) {
  return world.consents.filter((consent) => profileKey(consent) === profileKey(profile));
}

/** People who are known to one system only, so that no link plays a part. */
export function loners(world: WorldTruth, system: WorldProfile['system']): readonly WorldProfile[] {
  const counts = Map.groupBy(world.profiles, (profile) => profile.personId);
  const emails = Map.groupBy(world.profiles, (profile) => profile.email);
  return world.profiles.filter(
    (profile) =>
      profile.system === system &&
      !profile.isTest &&
      counts.get(profile.personId)?.length === 1 &&
      emails.get(profile.email)?.length === 1,
  );
}
