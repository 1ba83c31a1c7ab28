import type { ConnectorDefinition } from '#connectors/kit/definition.ts';

import { consentSink, consentsByContact } from './consents.ts';
import { profileFeed, profilesById } from './contacts.ts';
import { erasureSink } from './erasures.ts';
import { hubspotRates, observeHubspot } from './rates.ts';
import { hubspotSettings } from './settings.ts';
import type { HubspotSettings } from './settings.ts';
import { hubspotWebhook } from './webhook.ts';

/**
 * HubSpot CRM: contacts, their e-mail preferences, their erasure.
 * @source HubSpot CRM API v3, objects/contacts; communication preferences v4; private app token
 */
export const crmHubspot: ConnectorDefinition<HubspotSettings> = {
  id: 'crm-hubspot',
  vendor: 'HubSpot',
  apiVersion: 'v3',
  settings: hubspotSettings,
  auth: { kind: 'headers', headers: ({ token }) => ({ authorization: `Bearer ${token}` }) },
  // A 429 names no time.
  limits: { concurrency: 20, pauseMs: 1_000, rules: hubspotRates, observe: observeHubspot },
  capabilities: ['profiles:read', 'profiles:feed', 'profiles:erase', 'consents:read', 'consents:write'],
  webhook: hubspotWebhook,
  ports: {
    profiles: profilesById,
    profileFeed,
    marketingConsents: consentsByContact,
    marketingConsentSink: consentSink,
    erasureSink,
  },
};
