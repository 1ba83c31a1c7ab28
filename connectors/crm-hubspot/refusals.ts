import { z } from 'zod';

import type { WireResponse } from '#connectors/kit/wire.ts';

const unknownObject = z.object({ category: z.literal('OBJECT_NOT_FOUND') });

/** Whether HubSpot itself says that it has no such object: another server's 404 (a wrong URL, a proxy) tells nothing of it. */
export function isUnknownObject({ status, body }: WireResponse): boolean {
  return status === 404 && unknownObject.safeParse(body).success;
}
