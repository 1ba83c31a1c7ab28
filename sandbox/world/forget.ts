import { announce } from './announcements.ts';
import type { World, WorldProfile } from './types.ts';

/** Takes a person's record in one system out of the world; orders keep its id, which nobody can resolve any more. */
export function forget(world: World, profile: WorldProfile): void {
  const lists = [world.profiles, ...world.people.map(({ profiles }) => profiles)];
  for (const list of lists) {
    const at = list.indexOf(profile);
    if (at !== -1) list.splice(at, 1);
  }
  world.sequence += 1;
  announce(world, { kind: 'profile', profile, isErased: true });
}
