import { http } from 'msw';
import type { RequestHandler } from 'msw';
import type { VendorHandler, World } from '#sandbox/world/types.ts';

/**
 * A vendor's fake as msw handlers: every request below `baseUrl` is answered by it from `world`, so that a connector
 * under test speaks to the same fake the sandbox serves over HTTP.
 *
 * @param baseUrl - origin with an optional path, no trailing slash, for example `https://pos.test`
 * @example
 * const server = setupServer(...vendorHandlers('https://pos.test', createSquareVendor().handler, world));
 */
export function vendorHandlers(baseUrl: string, handler: VendorHandler, world: World): RequestHandler[] {
  return [http.all(`${baseUrl}/*`, ({ request }) => handler(request, world))];
}
