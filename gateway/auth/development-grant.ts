import { z } from 'zod';

import { discoverIssuer } from './issuer-keys.ts';
import { MortarError } from '#platform/errors.ts';
import type { Role } from '#schema/model/request.ts';
import type { Purpose } from '#schema/purposes.ts';

export interface DevelopmentClient {
  readonly id: string;
  readonly role: Role;
  readonly purposes: readonly Purpose[];
  /** What a token of the client must or may be bound to. */
  readonly binds: 'customer' | 'store' | null;
}

/** The clients of the sandbox issuer, one for each role of the design. */
export const DEVELOPMENT_CLIENTS: readonly DevelopmentClient[] = [
  { id: 'storefront', role: 'service-job', purposes: ['ORDER_FULFILLMENT'], binds: null },
  { id: 'customer-app', role: 'customer', purposes: ['SERVICE_SUPPORT'], binds: 'customer' },
  {
    id: 'associate',
    role: 'associate',
    purposes: ['ORDER_FULFILLMENT', 'SERVICE_SUPPORT', 'PERSONALIZATION'],
    binds: 'store',
  },
  { id: 'partner-marketplace', role: 'partner', purposes: ['THIRD_PARTY_SHARING', 'ORDER_FULFILLMENT'], binds: null },
  { id: 'analyst', role: 'analyst', purposes: ['ANALYTICS'], binds: null },
  { id: 'marketer', role: 'marketer', purposes: ['MARKETING', 'PERSONALIZATION'], binds: null },
  { id: 'privacy-officer', role: 'privacy-officer', purposes: ['LEGAL_OBLIGATION'], binds: null },
];

/** The grant of the sandbox issuer: a client of {@link DEVELOPMENT_CLIENTS}, no secret, bound to a person or a store. */
const DEVELOPMENT_GRANT = 'urn:mortar:params:oauth:grant-type:development';

export interface DevelopmentTokenRequest {
  readonly client: string;
  /** `cus_...`; needed by customer-app. */
  readonly customer?: string | undefined;
  /** `loc_...`; associate without one gets the sandbox's first store. */
  readonly store?: string | undefined;
}

const tokenAnswer = z.object({ access_token: z.string() });
const errorAnswer = z.object({ error: z.string(), error_description: z.string().optional() });
const TIMEOUT_MS = 5_000;

/**
 * An access token of a development client.
 * @throws {MortarError} BAD_USER_INPUT when the client is unknown or lacks what binds it; OVERLOADED when the issuer is away
 */
export async function requestDevelopmentToken(issuerUrl: string, request: DevelopmentTokenRequest): Promise<string> {
  assertRequest(request);
  const { token_endpoint: endpoint } = await discoverIssuer(issuerUrl);
  if (endpoint === undefined) throw refuse('The issuer names no token endpoint.');
  const form = new URLSearchParams({ grant_type: DEVELOPMENT_GRANT, client_id: request.client });
  if (request.customer !== undefined) form.set('customer_id', request.customer);
  if (request.store !== undefined) form.set('store_id', request.store);
  const body = await post(endpoint, form);
  const token = tokenAnswer.safeParse(body);
  if (token.success) return token.data.access_token;
  const error = errorAnswer.safeParse(body);
  throw refuse(
    error.success
      ? `The issuer refused: ${error.data.error_description ?? error.data.error}.`
      : 'The issuer answered neither a token nor an error.',
  );
}

async function post(endpoint: string, form: URLSearchParams): Promise<unknown> {
  try {
    const response = await fetch(endpoint, { method: 'POST', body: form, signal: AbortSignal.timeout(TIMEOUT_MS) });
    return await response.json();
  } catch (error) {
    throw new MortarError('OVERLOADED', {
      message: 'The issuer of tokens cannot be reached; try again.',
      cause: error,
    });
  }
}

function assertRequest({ client, customer }: DevelopmentTokenRequest): void {
  const known = DEVELOPMENT_CLIENTS.find(({ id }) => id === client);
  if (known === undefined) {
    const names = DEVELOPMENT_CLIENTS.map(({ id }) => id).join(', ');
    throw refuse(`Unknown client "${client.slice(0, 100)}". Known clients: ${names}.`);
  }
  if (known.binds === 'customer' && customer === undefined) {
    throw refuse(
      `${client} acts for one person: pass --customer ID. Find an id with a token of associate: { customers(first: 5) { nodes { id } } }`,
    );
  }
}

const refuse = (message: string): MortarError => new MortarError('BAD_USER_INPUT', { message });
