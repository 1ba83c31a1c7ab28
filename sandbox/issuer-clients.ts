import type { Role, Scope } from '#schema/model/request.ts';
import type { Purpose } from '#schema/purposes.ts';

/** A client the sandbox issuer knows. */
export interface IssuerClient {
  readonly clientId: string;
  readonly role: Role;
  readonly scopes: readonly Scope[];
  readonly purposes: readonly Purpose[];
  /** The partner it acts for; null: ourselves. */
  readonly recipient: string | null;
}

/** The one secret of every development client: for loopback only, and never anywhere near production. */
export const DEVELOPMENT_SECRET = 'mortar-development-secret';

/** The development clients of the graph's design, in its order. */
export const ISSUER_CLIENTS: readonly IssuerClient[] = [
  {
    clientId: 'storefront',
    role: 'service-job',
    scopes: ['catalog:read', 'inventory:read', 'inventory:hold'],
    purposes: ['ORDER_FULFILLMENT'],
    recipient: null,
  },
  {
    clientId: 'customer-app',
    role: 'customer',
    scopes: [
      'catalog:read',
      'inventory:read',
      'inventory:hold',
      'customers:read',
      'orders:read',
      'consent:read',
      'consent:write',
    ],
    purposes: ['SERVICE_SUPPORT'],
    recipient: null,
  },
  {
    clientId: 'associate',
    role: 'associate',
    scopes: [
      'catalog:read',
      'inventory:read',
      'inventory:hold',
      'customers:read',
      'orders:read',
      'orders:write',
      'systems:read',
    ],
    purposes: ['ORDER_FULFILLMENT', 'SERVICE_SUPPORT', 'PERSONALIZATION'],
    recipient: null,
  },
  {
    clientId: 'partner-marketplace',
    role: 'partner',
    scopes: ['catalog:read', 'inventory:read', 'customers:read', 'orders:read'],
    purposes: ['THIRD_PARTY_SHARING', 'ORDER_FULFILLMENT'],
    recipient: 'amazon-marketplace',
  },
  {
    clientId: 'analyst',
    role: 'analyst',
    scopes: ['catalog:read', 'inventory:read', 'customers:read', 'orders:read', 'insights:read', 'systems:read'],
    purposes: ['ANALYTICS'],
    recipient: null,
  },
  {
    clientId: 'marketer',
    role: 'marketer',
    scopes: ['catalog:read', 'customers:read'],
    purposes: ['MARKETING', 'PERSONALIZATION'],
    recipient: null,
  },
  {
    clientId: 'privacy-officer',
    role: 'privacy-officer',
    scopes: [
      'customers:read',
      'customers:write',
      'orders:read',
      'consent:read',
      'consent:write',
      'privacy:admin',
      'systems:read',
    ],
    purposes: ['LEGAL_OBLIGATION'],
    recipient: null,
  },
];
