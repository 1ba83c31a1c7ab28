import { z } from 'zod';

import { readWatermark } from '#connectors/kit/watermark.ts';
import type { WireRequest } from '#connectors/kit/wire.ts';

import { justAfter } from './wire.ts';

/** Locations one search may name. Source: Square API, SearchOrders. */
const LOCATIONS_PER_SEARCH = 10;

const plan = z.object({
  /** The run's watermark cursor; its token is '' where a search begins. */
  run: z.string().nullable(),
  /** Groups of locations still to be searched, the current one first; null: they are not known yet. */
  groups: z.array(z.array(z.string())).nullable(),
});
type Plan = z.infer<typeof plan>;

/** A stored cursor as plan; a plain watermark (or nothing) is a run that has not begun. */
export function readPlan(cursor: string | null): Plan {
  try {
    return plan.parse(JSON.parse(cursor ?? ''));
  } catch {
    return { run: cursor, groups: null };
  }
}

/** The search for changes in the current group of locations. */
export function searchRequest(current: Plan): WireRequest {
  const { since, token } = readWatermark(current.run);
  const filter = since === null ? {} : { filter: { date_time_filter: { updated_at: { start_at: justAfter(since) } } } };
  return {
    operation: 'SearchOrders',
    method: 'POST',
    path: '/v2/orders/search',
    json: {
      location_ids: current.groups?.[0] ?? [],
      query: { ...filter, sort: { sort_field: 'UPDATED_AT', sort_order: 'ASC' } },
      limit: 500,
      ...(token === null || token === '' ? {} : { cursor: token }),
    },
  };
}

type Progress =
  | { readonly locationIds: readonly string[] }
  | { readonly run: { readonly cursor: string; readonly done: boolean }; readonly groupDone: boolean };

/** The cursor after a step: the locations were listed, or a page of a group was read. */
export function writePlan(current: Plan, progress: Progress): { readonly cursor: string; readonly done: boolean } {
  if ('locationIds' in progress) {
    const { locationIds } = progress;
    const groups = Array.from({ length: Math.ceil(locationIds.length / LOCATIONS_PER_SEARCH) }, (_, index) =>
      locationIds.slice(index * LOCATIONS_PER_SEARCH, (index + 1) * LOCATIONS_PER_SEARCH),
    );
    // A seller without locations has no orders.
    return {
      cursor: JSON.stringify({ run: current.run, groups: groups.length === 0 ? null : groups }),
      done: groups.length === 0,
    };
  }
  const groups = progress.groupDone ? (current.groups ?? []).slice(1) : current.groups;
  return {
    cursor: JSON.stringify({ run: progress.run.cursor, groups: progress.run.done ? null : groups }),
    done: progress.run.done,
  };
}
