import type { WireResponse } from '#connectors/kit/wire.ts';

/** Amazon refuses a page token that ended with 400 InvalidInput; no code of its own tells it apart. */
export function tokenExpired(response: WireResponse): boolean {
  return response.status === 400;
}
