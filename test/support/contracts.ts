// Vendor contracts as test oracles: every request a connector sends and every answer a sandbox gives is held against
// the vendor's own OpenAPI document. The documents lie beside the checkout and are not part of the project.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { OpenAPIBackend } from 'openapi-backend';
import type { Document, Operation, Request as BackendRequest } from 'openapi-backend';
import { convertObj } from 'swagger2openapi';
import { normalizeContract } from './normalize-contract.ts';
import type { Json } from './normalize-contract.ts';
import type { CheckedRequest, Oracle } from './oracle.ts';

const SPECS = new URL('../../../shared/specs/', import.meta.url);
let told = false;

/** A loaded vendor contract; made by `loadContract`, read by `checkRequest` and `checkResponse`. */
export interface Contract {
  readonly name: string;
  readonly backend: OpenAPIBackend;
  /** Removed from the front of a request's path before an operation is looked up; often empty. */
  readonly basePath: string;
  /** Every kind of JSON it names; absent: it is not asked which. */
  readonly jsonTypes?: ReadonlySet<string>;
}

export interface ContractOptions {
  /** Path the vendor's host puts before the contract's own paths. @default '' */
  readonly basePath?: string;
  /** Refuse fields the contract does not declare. @default false */
  readonly closed?: boolean;
}

/**
 * True when the vendor contracts lie beside the checkout (`../shared/specs` from its root). Says once on stderr when
 * not: `describe.skipIf(!contractsAvailable())` then leaves a reason behind.
 */
export function contractsAvailable(): boolean {
  const available = existsSync(fileURLToPath(SPECS));
  if (!available && !told) {
    told = true;
    process.stderr.write('contract tests skipped: ../shared/specs is not here\n');
  }
  return available;
}

/**
 * A vendor contract, ready to check with. Swagger 2.0 is converted to OpenAPI 3.0 first.
 *
 * @param file - below `../shared/specs`, for example `square/square-2025-08-20.json`
 * @throws {Error} when the file is absent or is no OpenAPI document
 */
export async function loadContract(file: string, options: ContractOptions = {}): Promise<Contract> {
  let document = JSON.parse(await readFile(new URL(file, SPECS), 'utf8')) as Json & object;
  if ('swagger' in document) {
    document = (await convertObj(document, { patch: true, warnOnly: true })).openapi as Json & object;
  }
  const jsonTypes = jsonTypesOf(document);
  const definition = normalizeContract(document, options.closed ?? false) as unknown as Document;
  const backend = new OpenAPIBackend({
    definition,
    quick: true,
    strict: false,
    validate: true,
    ajvOpts: { strict: false, validateSchema: false, validateFormats: false, allErrors: true, logger: false },
  });
  await backend.init();
  return { name: file, backend, basePath: options.basePath ?? '', jsonTypes };
}

/**
 * What is wrong with a request by the contract; empty: nothing. An operation the contract does not know is wrong.
 *
 * @param body - the raw body; absent or empty: none
 */
export function checkRequest(contract: Contract, request: CheckedRequest, body?: string): readonly string[] {
  const wire = toBackendRequest(contract, request, body);
  const operation = contract.backend.matchOperation(wire);
  if (operation === undefined) return [unknown(contract, request)];
  const result = contract.backend.validateRequest(wire, operation);
  const findings = result.valid ? [] : (result.errors ?? []).map(sentence);
  const type = typeOf(request);
  const isStrange = body !== undefined && body !== '' && contract.jsonTypes?.has(type) === false;
  return isStrange ? [...findings, `${contract.name} names no ${type}`] : findings;
}

const typeOf = ({ headers }: CheckedRequest): string =>
  (new Headers(headers).get('content-type') ?? '').split(';')[0]?.trim() ?? '';

/** Content types of a document that are JSON. */
function jsonTypesOf(document: object): ReadonlySet<string> {
  return new Set(JSON.stringify(document).match(/application\/(?:[\w.-]+\+)?json(?=":)/g));
}

/**
 * What is wrong with an answer by the contract; empty: nothing. A success status the contract does not declare is
 * wrong. An undeclared error status is held against the success schema where that one has `errors` (Square declares
 * its errors so) and passes otherwise, as vendors rarely declare all of them.
 *
 * @param body - the decoded body; undefined: none
 */
export function checkResponse(
  contract: Contract,
  request: CheckedRequest,
  status: number,
  body: unknown,
): readonly string[] {
  const operation = contract.backend.matchOperation(toBackendRequest(contract, request));
  if (operation === undefined) return [unknown(contract, request)];
  const checked = checkedStatus(operation, status);
  if (checked === null) return status >= 400 ? [] : [`undeclared status ${status}`];
  if (body === undefined) return hasContent(operation, checked) ? ['no body'] : [];
  const result = contract.backend.validateResponse(body, operation, checked);
  return result.valid ? [] : (result.errors ?? []).map(sentence);
}

/** A contract as one of several oracles. */
export function toOracle(contract: Contract): Oracle {
  return {
    name: contract.name,
    operationOf: (request) => {
      const operation = contract.backend.matchOperation(toBackendRequest(contract, request));
      return operation === undefined ? null : `${operation.method.toUpperCase()} ${operation.path}`;
    },
    checkRequest: (request, body) => checkRequest(contract, request, body),
    checkResponse: (request, status, body) => checkResponse(contract, request, status, body),
  };
}

/** A declared answer, references already resolved. */
interface Declared {
  readonly content?: Readonly<Record<string, { readonly schema?: { readonly properties?: object } }>>;
}

function hasContent(operation: Operation, status: number): boolean {
  const responses = (operation.responses ?? {}) as Record<string, Declared | undefined>;
  const declared = responses[String(status)] ?? responses[`${Math.floor(status / 100)}XX`] ?? responses['default'];
  return status !== 204 && Object.keys(declared?.content ?? {}).length > 0;
}

function checkedStatus(operation: Operation, status: number): number | null {
  const responses = (operation.responses ?? {}) as Record<string, Declared>;
  if ([String(status), `${Math.floor(status / 100)}XX`].some((key) => key in responses)) return status;
  // Beside a declared success, vendors mean every error by it.
  const hasSuccess = Object.keys(responses).some((key) => key.startsWith('2'));
  if ('default' in responses && (status >= 400 || !hasSuccess)) return status;
  const success = Object.values(responses['200']?.content ?? {})[0]?.schema?.properties ?? {};
  return status >= 400 && 'errors' in success ? 200 : null;
}

function toBackendRequest(contract: Contract, request: CheckedRequest, body?: string): BackendRequest {
  const url = new URL(request.url, 'http://vendor.test');
  const path = url.pathname.startsWith(contract.basePath) ? url.pathname.slice(contract.basePath.length) : url.pathname;
  const headers = Object.fromEntries(new Headers(request.headers as Record<string, string>));
  // As the contract was normalized: every kind of JSON is one.
  if (headers['content-type']?.includes('json') === true) headers['content-type'] = 'application/json';
  const parsed = body === undefined || body === '' ? undefined : parseBody(body, headers['content-type'] ?? '');
  return { method: request.method.toLowerCase(), path, query: queryOf(url), headers, body: parsed };
}

/** As sent, but for names with brackets (`page[size]`), which openapi-backend would read as nested objects. */
function queryOf(url: URL): string | Record<string, string> {
  return [...url.searchParams.keys()].some((name) => name.includes('['))
    ? Object.fromEntries(url.searchParams)
    : url.search.slice(1);
}

function parseBody(body: string, contentType: string): unknown {
  if (!contentType.includes('json')) return body;
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

function unknown(contract: Contract, request: CheckedRequest): string {
  return `${contract.name} knows no ${request.method} ${new URL(request.url, 'http://vendor.test').pathname}`;
}

function sentence(error: { instancePath?: string; message?: string; params?: unknown }): string {
  return `${error.instancePath ?? ''} ${error.message ?? 'is wrong'} ${JSON.stringify(error.params ?? {})}`.trim();
}
