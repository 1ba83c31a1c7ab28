import type { ConnectorName } from './connector-names.ts';
import type { SystemConfig } from '#schema/model/configuration.ts';

/** The least a configuration must say of a system, by connector: a test has each connector accept it. */
export type ConnectorExample = Pick<SystemConfig, 'id' | 'url' | 'credentials' | 'options'>;

export const CONNECTOR_EXAMPLES: Readonly<Record<ConnectorName, ConnectorExample>> = {
  'erp-business-central': {
    id: 'erp',
    url: 'https://api.businesscentral.dynamics.com',
    credentials: { clientId: '${ERP_CLIENT_ID}', clientSecret: '${ERP_CLIENT_SECRET}' },
    options: {
      companyId: '5f0ac1a4-7d3e-4c55-9c51-0b0e4a7c2f10',
      tokenUrl: 'https://login.microsoftonline.com/example.com/oauth2/v2.0/token',
    },
  },
  'erp-tryton': {
    id: 'erp',
    url: 'https://tryton.example.com',
    credentials: { login: '${TRYTON_LOGIN}', password: '${TRYTON_PASSWORD}' },
    options: { database: 'retail' },
  },
  'wms-connect': { id: 'wms', url: 'https://wms.example.com', credentials: { apiKey: '${WMS_API_KEY}' }, options: {} },
  'pos-square': {
    id: 'pos',
    url: 'https://connect.squareup.com',
    credentials: { token: '${SQUARE_TOKEN}' },
    options: {},
  },
  'crm-hubspot': {
    id: 'crm',
    url: 'https://api.hubapi.com',
    credentials: { token: '${HUBSPOT_TOKEN}' },
    options: {},
  },
  'marketplace-amazon': {
    id: 'marketplace',
    url: 'https://sellingpartnerapi-eu.amazon.com',
    credentials: {
      clientId: '${LWA_CLIENT_ID}',
      clientSecret: '${LWA_CLIENT_SECRET}',
      refreshToken: '${LWA_REFRESH_TOKEN}',
    },
    options: {
      marketplaceId: 'A1F83G8C2ARO7P',
      sellerId: 'A2EXAMPLESELLER',
      tokenUrl: 'https://api.amazon.com/auth/o2/token',
    },
  },
  'carrier-shipengine': {
    id: 'carrier',
    url: 'https://api.shipengine.com',
    credentials: { apiKey: '${SHIPENGINE_API_KEY}' },
    options: { carrierIds: ['se-123890'] },
  },
  'email-klaviyo': {
    id: 'email',
    url: 'https://a.klaviyo.com',
    credentials: { apiKey: '${KLAVIYO_API_KEY}' },
    options: {},
  },
  'social-pinterest': {
    id: 'social',
    url: 'https://api.pinterest.com',
    credentials: { accessToken: '${PINTEREST_ACCESS_TOKEN}' },
    options: { adAccountId: '549755885175', recipient: 'pinterest' },
  },
};
