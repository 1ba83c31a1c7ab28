import { z } from 'zod';

import type { ClaimNames } from '#gateway/config-schema.ts';
import { MortarError } from '#platform/errors.ts';
import { toCustomerId, toLocationId } from '#schema/model/ids.ts';
import { type Principal, ROLES, SCOPES, type Scope } from '#schema/model/request.ts';
import { isPurpose } from '#schema/purposes.ts';

const id = z.string().min(1).max(200);
const scopeText = z.string().max(4_000);
const client = z.object({ client_id: id });

const refuse = (message: string): MortarError => new MortarError('UNAUTHENTICATED', { message });

/**
 * Who asks, from the claims of a verified token. Scopes that are not ours are kept apart (they open nothing of ours), unknown
 * purposes dropped; an unknown or missing role, no scope of ours, or a customer role without a customer is refused.
 * @throws {MortarError} UNAUTHENTICATED
 */
export function toPrincipal(claims: Readonly<Record<string, unknown>>, names: ClaimNames): Principal {
  const shape = z.object({
    [names.scope]: scopeText.optional(),
    [names.purposes]: z.array(z.string()).max(50).optional(),
    [names.storeIds]: z.array(id).max(1_000).optional(),
    [names.recipient]: id.nullish(),
    [names.customerId]: id.nullish(),
  });
  const identity = client.safeParse(claims);
  const parsed = shape.safeParse(claims);
  if (!identity.success || !parsed.success) throw refuse('The token has malformed claims.');
  const role = ROLES.find((known) => known === claims[names.role]);
  if (role === undefined) throw refuse('The token names no known role.');
  const texts = z.array(z.string()).catch([]);
  const given = new Set(
    String(parsed.data[names.scope] ?? '')
      .split(' ')
      .filter(Boolean),
  );
  const scopes = new Set([...given].filter(isScope));
  const otherScopes = given.difference(scopes);
  if (scopes.size === 0) throw refuse('The token carries no scope.');
  const customer = text(parsed.data[names.customerId]);
  if (role === 'customer' && customer === null) throw refuse('The token has the role customer but names no customer.');
  return {
    client: identity.data.client_id,
    role,
    scopes,
    ...(otherScopes.size === 0 ? {} : { otherScopes }),
    purposes: [...new Set(texts.parse(parsed.data[names.purposes]).filter(isPurpose))],
    customer: role === 'customer' && customer !== null ? toCustomerId(customer) : null,
    stores: role === 'associate' ? texts.parse(parsed.data[names.storeIds]).map(toLocationId) : [],
    recipient: text(parsed.data[names.recipient]),
  };
}

/** One caller among others where what one may take is bounded: a client, or a customer of a client. */
export function callerKey(principal: Pick<Principal, 'client' | 'customer'>): string {
  return `${principal.client} ${principal.customer ?? ''}`;
}

function isScope(candidate: string): candidate is Scope {
  return (SCOPES as readonly string[]).includes(candidate);
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
