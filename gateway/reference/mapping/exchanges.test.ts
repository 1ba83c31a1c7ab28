import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { CONNECTOR_EXAMPLES } from '#gateway/connector-examples.ts';
import { CONNECTOR_NAMES, type ConnectorName } from '#gateway/connector-names.ts';
import { CONNECTORS } from '#gateway/connectors.ts';
import { projectFiles } from '#gateway/project-files.ts';
import type { WireRequest } from '#connectors/kit/wire.ts';
import { checkWire } from '#test/support/connector-contract.ts';
import { type Contract, checkResponse, contractsAvailable, loadContract } from '#test/support/contracts.ts';
import { loadODataContract, withoutParentheses } from '#test/support/odata-contract.ts';
import { VENDOR_CONTRACTS } from '#test/support/vendor-contracts.ts';
import { type Exchange, exchangePath, readExchange } from './exchange.ts';
import { type DefinedPort, replayOf } from './port-mapping.ts';

// The examples pages are made of, against the definitions and against the vendors' own contracts.

const { read } = projectFiles();
const portsOf = (name: ConnectorName) => Object.keys(CONNECTORS[name].ports) as DefinedPort[];
const exampleOf = (name: ConnectorName, port: DefinedPort): Exchange => readExchange(exchangePath(name, port), read);
const replay = (name: ConnectorName, port: DefinedPort) =>
  replayOf({ definition: CONNECTORS[name], port, example: exampleOf(name, port), config: CONNECTOR_EXAMPLES[name] });

it.each(CONNECTOR_NAMES)('has one example of every port of %s, and no other', (name) => {
  const folder = new URL(`../../../connectors/${name}/fixtures/exchanges/`, import.meta.url);
  const wanted = portsOf(name).map((port) => exchangePath(name, port).split('/').at(-1) ?? '');
  expect(readdirSync(folder).toSorted()).toEqual(wanted.toSorted());
});

describe.each(CONNECTOR_NAMES)('the examples of %s', (name) => {
  it.each(portsOf(name))('are answers %s asks for and can read whole', (port) => {
    expect(replay(name, port).replay.run()?.lists.flat().length).toBeGreaterThan(0);
  });

  it.each(portsOf(name))('name nobody real: %s', (port) => {
    const text = JSON.stringify(exampleOf(name, port));
    const addresses = text.match(/[\w.+-]+@[\w-]+\.[\w.-]+/g) ?? [];
    const reserved = /@(example\.(com|org)|[\w.-]+\.test|marketplace\.amazon\.co\.uk)$/;
    expect(addresses.filter((address) => !reserved.test(address))).toEqual([]);
  });
});

/** Vendors whose contract is there, with what calls it: OData needs its own reading of paths. */
const checked = ['erp-business-central', ...Object.keys(VENDOR_CONTRACTS)] as ConnectorName[];

const loaded = new Map<string, Promise<Contract>>();
function once(file: string, load: () => Promise<Contract>): Promise<Contract> {
  const contract = loaded.get(file) ?? load();
  loaded.set(file, contract);
  return contract;
}

/** @throws {Error} when the vendor's contracts do not know the path */
function contractOf(name: ConnectorName, path: string): Promise<Contract> {
  const odata = 'business-central/BCOAS1.0.json';
  if (name === 'erp-business-central') {
    return once(odata, () => loadODataContract(odata, '/v2.0/production/api/v2.0'));
  }
  const files: Readonly<Record<string, string>> = Object.hasOwn(VENDOR_CONTRACTS, name)
    ? VENDOR_CONTRACTS[name as keyof typeof VENDOR_CONTRACTS]
    : {};
  const file = Object.entries(files).find(([prefix]) => path.startsWith(prefix))?.[1];
  if (file === undefined) throw new Error(`no contract of ${path}`);
  return once(file, () => loadContract(file));
}

/** As the contract's reader takes it. */
function wireOf(name: ConnectorName, request: WireRequest): WireRequest {
  if (name !== 'erp-business-central') return request;
  // The contract knows neither $orderby nor what stands in the server's own links.
  const { $orderby: _orderby, $skiptoken: _skiptoken, ...query } = request.query ?? {};
  return { ...request, path: withoutParentheses(request.path), query };
}

describe.skipIf(!contractsAvailable()).each(checked)('by the contract of %s', (name) => {
  it.each(portsOf(name))('what %s asks and is answered is valid', async (port) => {
    const { answers } = exampleOf(name, port);
    const { replay: played, context } = replay(name, port);
    const { auth } = CONNECTORS[name];
    const headers = auth.kind === 'headers' ? auth.headers(context.settings) : {};
    const isWrite = port.endsWith('Sink');
    for (const [index, emitted] of played.requests.entries()) {
      const contract = await contractOf(name, emitted.path);
      const request = wireOf(name, emitted);
      expect([emitted.operation, checkWire(contract, request, headers)]).toEqual([emitted.operation, []]);
      const answer = isWrite ? answers.find(({ operation }) => operation === emitted.operation) : answers[index];
      if (answer === undefined) continue;
      const problems = checkResponse(
        contract,
        { method: request.method, url: request.path },
        statusOf(port),
        answer.body,
      );
      expect([emitted.operation, problems]).toEqual([emitted.operation, []]);
    }
  });
});

/** Amazon answers a list of writes with 207, one status each. */
const statusOf = (port: DefinedPort): number => (port === 'stockOfferSink' ? 207 : 200);
