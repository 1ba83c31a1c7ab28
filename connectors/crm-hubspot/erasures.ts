import { z } from 'zod';

import type { WriteDefinition } from '#connectors/kit/definition.ts';
import type { WriteResult } from '#schema/model/outreach.ts';
import type { ProfileErasure } from '#schema/model/writes.ts';

import { isContactId } from './contacts.ts';
import { isUnknownObject } from './refusals.ts';
import type { HubspotSettings } from './settings.ts';

/**
 * Contacts erased for good, one a call: HubSpot deletes everything about them and puts the address on its block list.
 * @source HubSpot CRM API v3, contacts/gdpr-delete: 204 without a body
 */
export const erasureSink: WriteDefinition<ProfileErasure, WriteResult, HubspotSettings> = {
  max: 1,
  idempotency: 'natural',
  keyOf: ({ externalId }) => externalId,
  accepts: ({ externalId }) => isContactId(externalId),
  request: ([input]) => ({
    operation: 'POST contacts/gdpr-delete',
    method: 'POST',
    path: '/crm/v3/objects/contacts/gdpr-delete',
    json: { objectId: input?.externalId },
  }),
  // Nobody with that id: erased already.
  settled: isUnknownObject,
  page: z.unknown(),
  decode: (_body, inputs) => inputs.map(() => ({ kind: 'DONE' })),
};
