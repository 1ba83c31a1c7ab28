import type { Vendor, World } from '#sandbox/world/types.ts';
import { checkRequest, checkResponse } from './contracts.ts';
import type { Contract } from './contracts.ts';

/** A fake's answer, decoded. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- a decoded answer of any shape, read by expectations only
  readonly body: any;
}

/** How a vendor's fake is called in a test. */
export interface VendorCaller {
  readonly vendor: Vendor;
  /** Sent with every call; the content type of a body is added. */
  readonly headers: () => Readonly<Record<string, string>>;
  /** The contract of a path; null: absent, or the path is not part of one. */
  readonly contractOf: (path: string) => Contract | null;
}

/** One call: `body` is sent as JSON, a text as it is. */
export type VendorCall = (world: World, method: string, path: string, body?: unknown) => Promise<Answer>;

/**
 * Calls a fake in process and holds every answer, and every request the fake takes, against the vendor's contract.
 *
 * @throws {Error} with every violation, where a contract is present
 */
export function createVendorCall({ vendor, headers, contractOf }: VendorCaller): VendorCall {
  return async (world, method, path, body) => {
    const sent = { ...headers(), ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const wire = { method, url: `http://vendor.test${path}`, headers: sent };
    const request = new Request(wire.url, { method, headers: sent, ...(text === undefined ? {} : { body: text }) });
    const response = await vendor.handler(request, world);
    const answered = await response.text();
    const decoded: unknown = answered === '' ? undefined : JSON.parse(answered);
    const contract = contractOf(path);
    const violations =
      contract === null
        ? []
        : [
            ...(response.ok ? checkRequest(contract, wire, text) : []),
            ...checkResponse(contract, wire, response.status, decoded),
          ];
    if (violations.length > 0) throw new Error(`${method} ${path}: ${violations.slice(0, 5).join('; ')}`);
    return { status: response.status, headers: response.headers, body: decoded };
  };
}
