import { scryptSync } from 'node:crypto';

import type { SystemConfig } from '#schema/model/configuration.ts';

import type { Auth } from './definition.ts';

/** A few milliseconds once a system: the name is seen by everyone who sees Redis, and a password behind it must not be guessed. */
const HASH = { N: 1_024, r: 8, p: 1 };

/**
 * The name limits are counted under: the vendor's account, not our name for the system. Two systems with one login share
 * its limits; two installations over one Redis, which call different systems `crm`, do not.
 */
export function accountOf<S>(auth: Auth<S>, settings: S, { id, connector, url }: SystemConfig): string {
  const { origin } = new URL(url);
  const login = JSON.stringify(loginOf(auth, settings));
  // Whoever calls without a login has no account that others could share.
  const isOpen = login === '{}';
  const hash = scryptSync(isOpen ? id : login, `${connector} ${origin}`, 16, HASH);
  return `${connector}:${hash.toString('hex')}`;
}

/** What makes the vendor know who calls. */
function loginOf<S>(auth: Auth<S>, settings: S): unknown {
  switch (auth.kind) {
    case 'headers':
      return auth.headers(settings);
    case 'token':
      return [auth.endpoint(settings), auth.form(settings)];
    case 'session':
      return [auth.endpoint(settings), auth.login(settings)];
    default:
      return auth satisfies never;
  }
}
