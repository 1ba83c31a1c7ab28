import {
  bareStubs,
  derivedPurposes,
  oneCompositeKey,
  openKeys,
  plainFieldSets,
  sameCopies,
} from './governance/federation-rules.ts';
import { classified, interfaceUnion, listSized, nullable, registered } from './governance/field-rules.ts';
import { liveTwins } from './governance/live-rules.ts';
import { indexSdls } from './governance/sdl-index.ts';
import {
  described,
  owned,
  reachesSupergraph,
  resolvedSubjects,
  sameSubjects,
  sharedHeader,
} from './governance/type-rules.ts';
import type { Finding, Rule } from './governance/finding.ts';
import type { SubgraphSdl } from './subgraph-schemas.ts';

/** Every rule of governance; each has a test that breaks it. */
export const governanceRules: readonly Rule[] = [
  classified,
  registered,
  nullable,
  listSized,
  interfaceUnion,
  sameCopies,
  bareStubs,
  derivedPurposes,
  openKeys,
  plainFieldSets,
  oneCompositeKey,
  described,
  owned,
  sameSubjects,
  resolvedSubjects,
  reachesSupergraph,
  sharedHeader,
  liveTwins,
];

/** Every broken rule of the subgraphs and of the supergraph they compose to; none: governance holds. */
export function lintGovernance(subgraphs: readonly SubgraphSdl[], supergraphSdl: string): readonly Finding[] {
  const governed = { index: indexSdls(subgraphs), supergraphSdl };
  const findings = governanceRules.flatMap((rule) => rule(governed));
  // A shared type is declared in every subgraph: one report is enough.
  const unique = new Map(findings.map((finding) => [JSON.stringify(finding), finding]));
  return [...unique.values()];
}

/** One line a finding: where, in which subgraph, what is wrong. */
export function formatFinding({ rule, coordinate, subgraph, message }: Finding): string {
  return `${coordinate} (${subgraph ?? 'supergraph'}): ${message} [${rule}]`;
}
