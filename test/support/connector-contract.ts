// What connector tests share: a definition's requests as they go over the wire, held against the vendor's contract.
import type { ConnectorDefinition, Context } from '#connectors/kit/definition.ts';
import { buildUrl } from '#connectors/kit/wire.ts';
import type { WireRequest } from '#connectors/kit/wire.ts';
import { systemConfig } from '#schema/model/configuration.ts';
import type { SystemConfig } from '#schema/model/configuration.ts';

import { checkRequest } from './contracts.ts';
import type { Contract } from './contracts.ts';

/** Ids that break careless connectors: each is only a key, whatever it looks like. */
export const HOSTILE_IDS: readonly string[] = [
  "' or 1 eq 1",
  "x'/../secrets",
  '../..',
  '%2e%2e%2f',
  '{"$gt":""}',
  'a b&c=d#e?f',
  '__proto__',
  'É漢🙂',
];

/** A definition's own settings, as its configuration would make them. */
export function contextOf<S>(definition: ConnectorDefinition<S>, config: Partial<SystemConfig>): Context<S> {
  const full = systemConfig.parse({ id: 'test', connector: definition.id, url: 'http://vendor.test', ...config });
  return {
    settings: definition.settings(full),
    nowMs: Date.parse('2026-11-23T12:00:00.000Z'),
    uuid: () => '0b0e9d3c-6a53-4a6c-9d52-7f0a5a1a1a1a',
  };
}

/** What is wrong with an emitted request by the vendor's contract; empty: nothing. */
export function checkWire(
  contract: Contract,
  request: WireRequest,
  headers: Readonly<Record<string, string>> = {},
): readonly string[] {
  const json: Record<string, string> = request.json === undefined ? {} : { 'content-type': 'application/json' };
  const url = buildUrl('http://vendor.test', request).href;
  const body = request.json === undefined ? undefined : JSON.stringify(request.json);
  return checkRequest(
    contract,
    { method: request.method, url, headers: { ...json, ...request.headers, ...headers } },
    body,
  );
}
