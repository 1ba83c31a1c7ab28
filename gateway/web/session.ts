import type { Fetcher } from '@graphiql/toolkit';
import { createClient } from 'graphql-sse';

import { chosenOperation } from './chosen-operation.ts';

/** Who the page acts for; changed by the client bar, read by every request. */
export interface Session {
  /** Of the client chosen last; null: none, or it could not be had. Requests wait for one still asked for, and may fail with it. */
  token: Promise<string> | null;
  purpose: string | null;
}

export function createSession(): Session {
  return { token: null, purpose: null };
}

/** A development client the sandbox offers. */
export interface DevelopmentClient {
  readonly id: string;
  readonly role: string;
  readonly purposes: readonly string[];
}

/** The sandbox's clients; empty where the gateway has no such route (any real deployment). */
export async function loadClients(): Promise<readonly DevelopmentClient[]> {
  const response = await fetch('/graphiql/clients');
  if (!response.ok) return [];
  const body: { clients: readonly DevelopmentClient[] } = await response.json();
  return body.clients;
}

/** A fresh token of one client. A customer's needs an id: without one the first customer an associate sees is taken. */
export async function requestToken(client: string, customer: string | null): Promise<string> {
  const bound = client === 'customer-app' ? { customer: customer ?? (await findCustomer()) } : {};
  const response = await fetch('/graphiql/token', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client, ...bound }),
  });
  const body: { token?: string; errors?: readonly { message: string }[] } = await response.json();
  if (body.token === undefined) throw new Error(body.errors?.[0]?.message ?? 'the issuer gave no token');
  return body.token;
}

async function findCustomer(): Promise<string> {
  const token = await requestToken('associate', null);
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: '{ customers(first: 1) { nodes { id } } }' }),
  });
  const body: { data?: { customers?: { nodes: readonly { id: string }[] } } } = await response.json();
  const id = body.data?.customers?.nodes[0]?.id;
  if (id === undefined) throw new Error('there is no customer yet: wait for the first load');
  return id;
}

/**
 * Sends what the editor asks with the session's token and purpose; headers typed in the editor win. A subscription is
 * read event by event until the editor stops it.
 */
export function createFetcher(session: Session): Fetcher {
  return async (parameters, options) => {
    const { purpose } = session;
    const token = await session.token;
    const headers = headersOf({ token, purpose }, options?.headers);
    const { query, variables } = parameters;
    const { operationName, subscription } = chosenOperation(query, parameters.operationName ?? null);
    if (subscription) {
      const client = createClient({ url: '/graphql', headers });
      return client.iterate({ query, variables, ...(operationName === null ? {} : { operationName }) });
    }
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
      body: JSON.stringify({ query, variables, operationName }),
    });
    return response.json();
  };
}

/** Names in small letters: `Authorization` of the editor stands in the place of ours, not beside it. */
function headersOf(
  { token, purpose }: { readonly token: string | null; readonly purpose: string | null },
  typed: Readonly<Record<string, unknown>> = {},
): Record<string, string> {
  const headers = new Headers();
  if (token !== null) headers.set('authorization', `Bearer ${token}`);
  if (purpose !== null) headers.set('mortar-purpose', purpose);
  for (const [name, value] of Object.entries(typed)) headers.set(name, String(value));
  return Object.fromEntries(headers);
}
