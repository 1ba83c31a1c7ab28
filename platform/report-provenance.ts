import type { Provenance } from '#schema/model/figures.ts';
import type { Notices } from './subgraph.ts';

type Path = { readonly prev: Path | undefined; readonly key: string | number } | undefined;

/** The path of a field in the fetch's answer, from what graphql passes to its resolver. */
export function pathOf(info: { readonly path: NonNullable<Path> }): readonly (string | number)[] {
  const keys: (string | number)[] = [];
  for (let at: Path = info.path; at !== undefined; at = at.prev) keys.unshift(at.key);
  return keys;
}

export interface ReportTarget {
  readonly notices: Notices;
  readonly info: { readonly path: NonNullable<Path> };
}

/** Tells the caller, in `extensions.provenance`, that a value is stale or a fallback; nothing when it is neither. */
export function reportProvenance(provenance: Provenance | null | undefined, { notices, info }: ReportTarget): void {
  if (provenance == null || (!provenance.stale && !provenance.degraded)) return;
  const { asOf, lane, stale, degraded, source, inputs } = provenance;
  const systems = new Set((source === null ? inputs : [source]).map(({ system }) => String(system)));
  const path = pathOf(info);
  for (const system of systems) notices.degrade({ system, lane, asOf, stale, degraded, path });
}

/** Tells the caller that a list has gaps: these systems were never read to the end yet. */
export function reportLoading(systems: readonly string[], { notices, info }: ReportTarget): void {
  const path = pathOf(info);
  for (const system of systems) {
    notices.degrade({ system, lane: 'NEAR_REALTIME', asOf: null, stale: true, degraded: true, path });
  }
}
