// OData puts keys in parentheses; the router of openapi-backend takes them for groups of its own patterns. Contract and
// requests are held against each other with `companies/{id}` instead of `companies({id})`; nothing else changes.
import { readFile } from 'node:fs/promises';
import { OpenAPIBackend } from 'openapi-backend';
import type { Document } from 'openapi-backend';

import type { Contract } from './contracts.ts';
import { normalizeContract } from './normalize-contract.ts';
import type { Json } from './normalize-contract.ts';

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
