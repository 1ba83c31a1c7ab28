import { z } from 'zod';

import type { WireRequest } from '#connectors/kit/wire.ts';

import type { TrytonSettings } from './settings.ts';

/** A list of records, each to be checked for itself. */
export const records = z.array(z.record(z.string(), z.unknown()));
export type Records = z.infer<typeof records>;

/** One condition (`field`, operator, value) or several joined by `OR`. Values are data of their own: nothing is quoted. */
export type Domain = readonly unknown[];

/** Archived records are found only when a domain speaks of them. */
export const ARCHIVED_TOO: Domain = ['active', 'in', [true, false]];

export interface Search {
  readonly domain: Domain;
  /** Dotted names follow a relation; their values come under `relation.`. */
  readonly fields: readonly string[];
  /** At most so many, by rising id. @default all, in the order of the model */
  readonly limit?: number;
  readonly context?: Readonly<Record<string, unknown>>;
}

/** Finds and reads records in one call. Source: Tryton 6.0, Models API, ModelStorage.search_read. */
export function searchRead(model: string, search: Search, settings: TrytonSettings): WireRequest {
  const { domain, fields, limit = null, context = {} } = search;
  const order = limit === null ? null : [['id', 'ASC']];
  return callModel(
    { method: `${model}.search_read`, parameters: [domain, 0, limit, order, fields], context },
    settings,
  );
}

/**
 * A call of a model's method. Without the `id` of JSON-RPC Tryton answers the bare result, and what fails has an HTTP
 * status: 400 for what a user did wrong, 409 for a warning, 423 for a conflict. With it every failure would be a 200.
 */
export function callModel(
  { method, parameters, context = {} }: { method: string; parameters: readonly unknown[]; context?: object },
  settings: TrytonSettings,
): WireRequest {
  const { database, company } = settings;
  const name = `model.${method}`;
  return {
    operation: name,
    method: 'POST',
    path: `/${database}/`,
    json: { method: name, params: [...parameters, { company, language: 'en', ...context }] },
  };
}

/** The same search after the last record of a full page; null: that was all. */
export function nextRecords(page: Records, previous: WireRequest, limit: number): WireRequest | null {
  const last = lastIdOf(page);
  if (page.length < limit || last === null) return null;
  // A request of `searchRead`.
  const json = previous.json as { readonly params: readonly [Domain, ...unknown[]] };
  const [domain, ...rest] = json.params;
  const wanted = domain.filter((condition) => !isAfter(condition));
  return { ...previous, json: { ...json, params: [[...wanted, ['id', '>', last]], ...rest] } };
}

const isAfter = (condition: unknown): boolean =>
  Array.isArray(condition) && condition[0] === 'id' && condition[1] === '>';

/** The highest id of a page; null: there is none to read. */
export function lastIdOf(page: Records): number | null {
  const ids = page.flatMap((row) => {
    const read = z.object({ id: recordId }).safeParse(row);
    return read.success ? [read.data.id] : [];
  });
  return ids.length === 0 ? null : Math.max(...ids);
}
export const recordId = z.int().min(1).max(2_147_483_647);
