import { z } from 'zod';

import type { WireResponse } from '#connectors/kit/wire.ts';

const refusal = z.object({ errors: z.array(z.object({ error_source: z.string(), error_code: z.string() })).min(1) });

/** Whether ShipEngine itself says that it knows nothing of what was asked: another server's 404 (a wrong URL, a proxy) is no answer. */
export function isUnknownRecord({ status, body }: WireResponse): boolean {
  return status === 404 && refusal.safeParse(body).success;
}
