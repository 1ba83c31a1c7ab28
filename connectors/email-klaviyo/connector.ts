import type { ConnectorDefinition } from '#connectors/kit/definition.ts';

import { consentSink, consentsByProfile } from './consents.ts';
import { profileFeed, profilesById } from './profiles.ts';
import { klaviyoSettings } from './settings.ts';
import type { KlaviyoSettings } from './settings.ts';

const REVISION = '2026-07-15';

/**
 * Klaviyo: profiles, and what people agreed to hear by e-mail, text and push.
 * @source Klaviyo API revision 2026-07-15 (JSON:API): profiles, profile-subscription-bulk-{create,delete}-jobs
 */
export const emailKlaviyo: ConnectorDefinition<KlaviyoSettings> = {
  id: 'email-klaviyo',
  vendor: 'Klaviyo',
  apiVersion: REVISION,
  settings: klaviyoSettings,
  auth: {
    kind: 'headers',
    headers: ({ apiKey }) => ({
      authorization: `Klaviyo-API-Key ${apiKey}`,
      revision: REVISION,
      accept: 'application/vnd.api+json',
    }),
  },
  limits: {
    concurrency: 16,
    pauseMs: 1_000,
    // Each endpoint has 75 a second and 750 a minute of its own.
    rules: () =>
      ['get_profiles', 'bulk_subscribe_profiles', 'bulk_unsubscribe_profiles'].flatMap((operation) => [
        { kind: 'window', name: `${operation} burst`, operations: [operation], limit: 75, windowMs: 1_000 },
        { kind: 'window', name: `${operation} steady`, operations: [operation], limit: 750, windowMs: 60_000 },
      ]),
  },
  capabilities: ['profiles:read', 'profiles:feed', 'consents:read', 'consents:write'],
  ports: {
    profiles: profilesById,
    profileFeed,
    marketingConsents: consentsByProfile,
    marketingConsentSink: consentSink,
  },
};
