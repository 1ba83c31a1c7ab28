// OData puts keys in parentheses; the router of openapi-backend takes them for groups of its own patterns. Contract and
// requests are held against each other with `companies/{id}` instead of `companies({id})`; nothing else changes.
import { readFile } from 'node:fs/promises';
import { OpenAPIBackend } from 'openapi-backend';
import type { Document } from 'openapi-backend';

import { toOracle } from './contracts.ts';
import type { Contract } from './contracts.ts';
import { normalizeContract } from './normalize-contract.ts';
import type { Json } from './normalize-contract.ts';
import type { CheckedRequest, Oracle } from './oracle.ts';

/** An OData contract below `../shared/specs`, for paths given by {@link withoutParentheses}. */
export async function loadODataContract(file: string, basePath: string): Promise<Contract> {
  const text = await readFile(new URL(`../../../shared/specs/${file}`, import.meta.url), 'utf8');
  const document = JSON.parse(text) as { paths: Record<string, unknown> };
  const paths = Object.fromEntries(
    Object.entries(document.paths).map(([path, operations]) => [withoutParentheses(path), operations]),
  );
  const definition = normalizeContract({ ...document, paths } as Json & object, false) as unknown as Document;
  const ajvOpts = {
    strict: false,
    validateSchema: false,
    validateFormats: false,
    allErrors: true,
    logger: false,
  } as const;
  const backend = new OpenAPIBackend({ definition, quick: true, strict: false, validate: true, ajvOpts });
  await backend.init();
  return { name: file, backend, basePath };
}

/** `companies(1)/items` as `companies/1/items`. */
export function withoutParentheses(path: string): string {
  return path.replaceAll(/\('?([^()']*)'?\)/g, '/$1');
}

/**
 * The contract as one of several oracles. The stored one is v1.0: it knows no `$orderby`, which OData itself defines and
 * v2.0 takes, and no `$skiptoken`, which comes out of the server's own links.
 */
export function toODataOracle(contract: Contract): Oracle {
  const oracle = toOracle(contract);
  const plain = (request: CheckedRequest): CheckedRequest => {
    const url = new URL(request.url, 'http://vendor.test');
    url.pathname = withoutParentheses(url.pathname);
    for (const name of ['$orderby', '$skiptoken']) url.searchParams.delete(name);
    return { method: request.method, url: url.href, ...(request.headers && { headers: request.headers }) };
  };
  return {
    name: oracle.name,
    operationOf: (request) => oracle.operationOf(plain(request)),
    checkRequest: (request, body) => oracle.checkRequest(plain(request), body),
    checkResponse: (request, status, body) => oracle.checkResponse(plain(request), status, body),
  };
}
