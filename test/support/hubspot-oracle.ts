// HubSpot's specification may not be stored: its official client is the oracle, by the requests it would send itself and by
// its types of what they and their answers carry.
import { createRequire } from 'node:module';
import { isDeepStrictEqual } from 'node:util';

import { HUBSPOT_CONTACTS, hubspotFindings } from './hubspot-types.ts';
import type { CheckedRequest, Oracle } from './oracle.ts';

const require = createRequire(import.meta.url);
const BASE = 'http://vendor.test';

interface Sent {
  readonly getUrl: () => string;
  readonly getHttpMethod: () => string;
  readonly getBody: () => string | undefined;
}
type Factory = Readonly<Record<string, (...given: readonly unknown[]) => Promise<Sent>>>;

interface Operation {
  readonly method: string;
  readonly path: string;
  /** The type of its body; null: it has none. */
  readonly input: string | null;
  /** The type of the answer by status; null: no body. */
  readonly answers: Readonly<Record<number, string | null>>;
  /** The request the client itself sends for the same question. */
  readonly send: (query: URLSearchParams, input: unknown) => Promise<Sent>;
}

const OPERATIONS: readonly Operation[] = [
  {
    method: 'POST',
    path: '/crm/v3/objects/contacts/batch/read',
    input: 'BatchReadInputSimplePublicObjectId',
    answers: { 200: 'BatchResponseSimplePublicObject', 207: 'BatchResponseSimplePublicObjectWithErrors' },
    send: sender('BatchApi', 'read', (_query, input) => [input]),
  },
  {
    method: 'POST',
    path: '/crm/v3/objects/contacts/search',
    input: 'PublicObjectSearchRequest',
    answers: { 200: 'CollectionResponseWithTotalSimplePublicObjectForwardPaging' },
    send: sender('SearchApi', 'doSearch', (_query, input) => [input]),
  },
  {
    method: 'GET',
    path: '/crm/v3/objects/contacts',
    input: null,
    answers: { 200: 'CollectionResponseSimplePublicObjectWithAssociationsForwardPaging' },
    send: sender('BasicApi', 'getPage', (query) => [
      query.has('limit') ? Number(query.get('limit')) : undefined,
      query.get('after') ?? undefined,
      query.get('properties')?.split(','),
    ]),
  },
  {
    method: 'POST',
    path: '/crm/v3/objects/contacts/gdpr-delete',
    input: 'PublicGdprDeleteInput',
    answers: { 204: null },
    send: sender('GDPRApi', 'purge', (_query, input) => [input]),
  },
];

function sender(
  api: string,
  name: string,
  argumentsOf: (query: URLSearchParams, input: unknown) => readonly unknown[],
): Operation['send'] {
  const factory = createFactory(api);
  return async (query, input) => {
    const make = factory[name];
    if (make === undefined) throw new Error(`the client's ${api} has no ${name}`);
    return make.call(factory, ...argumentsOf(query, input));
  };
}

/** What makes the client's requests of one of its parts, without sending them. */
function createFactory(api: string): Factory {
  const { createConfiguration } = require(`${HUBSPOT_CONTACTS}/configuration.js`) as {
    createConfiguration: (options: object) => object;
  };
  const { ServerConfiguration } = require(`${HUBSPOT_CONTACTS}/servers.js`) as {
    ServerConfiguration: new (url: string, variables: object) => object;
  };
  const parts = require(`${HUBSPOT_CONTACTS}/apis/${api}.js`) as Record<string, new (options: object) => Factory>;
  const Made = parts[`${api}RequestFactory`];
  if (Made === undefined) throw new Error(`the client has no ${api}`);
  return new Made(createConfiguration({ baseServer: new ServerConfiguration(BASE, {}) }));
}

const urlOf = (request: CheckedRequest): URL => new URL(request.url, BASE);

function find(request: CheckedRequest): Operation | undefined {
  const { pathname } = urlOf(request);
  return OPERATIONS.find(({ method, path }) => method === request.method && path === pathname);
}

const unknown = ({ method, url }: CheckedRequest): string =>
  `HubSpot's client knows no ${method} ${new URL(url, BASE).pathname}`;

/** Lists may be written once with commas, or once for each element: HubSpot takes both, the client repeats the name. */
function queryOf(url: URL): readonly string[] {
  return [...url.searchParams].flatMap(([name, value]) => value.split(',').map((part) => `${name}=${part}`)).toSorted();
}

/** HubSpot's contacts by its official client; other parts of HubSpot it knows nothing of. */
export const hubspotOracle: Oracle = {
  name: '@hubspot/api-client',
  operationOf: (request) => {
    const operation = find(request);
    return operation === undefined ? null : `${operation.method} ${operation.path}`;
  },
  checkRequest: async (request, body) => {
    const operation = find(request);
    if (operation === undefined) return [unknown(request)];
    const input: unknown = operation.input === null ? undefined : JSON.parse(body === '' ? 'null' : (body ?? 'null'));
    const findings = operation.input === null ? [] : hubspotFindings(input, operation.input);
    if (findings.length > 0) return findings;
    const url = urlOf(request);
    const sent = await operation.send(url.searchParams, input);
    const other = new URL(sent.getUrl());
    return [
      ...(isDeepStrictEqual(queryOf(url), queryOf(other)) ? [] : [`the client would ask ${other.search}`]),
      ...(isDeepStrictEqual(input, JSON.parse(sent.getBody() ?? 'null') ?? undefined)
        ? []
        : ['the client would send another body']),
    ];
  },
  checkResponse: (request, status, body) => {
    const operation = find(request);
    if (operation === undefined) return [unknown(request)];
    if (status >= 400) return hubspotFindings(withoutStatus(body), 'ModelError');
    const type = operation.answers[status];
    if (type === undefined) return [`undeclared status ${status}`];
    if (type === null) return body === undefined ? [] : ['a body where the client expects none'];
    return hubspotFindings(body, type);
  },
};

/** HubSpot's errors say `status: "error"` and more about limits, which the client's type of them leaves out. */
function withoutStatus(body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return body;
  const { status: _status, errorType: _type, policyName: _policy, ...rest } = body as Record<string, unknown>;
  return rest;
}
