import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Environment, ServeFlags } from './config.ts';
import { type ServeRole, SUBGRAPH_NAMES, type SubgraphConfig, type SubgraphEntry } from './config-schema.ts';
import { nearestName } from '#platform/nearest-name.ts';
import { SUPERGRAPH_FILE } from './supergraph.ts';
import { MortarError } from '#platform/errors.ts';

type RoleFlags = Pick<ServeFlags, 'role' | 'name' | 'supergraph'>;

/**
 * What the process is to be by its flags.
 * @throws {MortarError} CONFIGURATION_INVALID when flags do not fit together, or a subgraph lacks its database or Redis
 */
export function readRole(flags: RoleFlags, environment: Pick<Environment, 'databaseUrl' | 'redisUrl'>): ServeRole {
  const kind = flags.role ?? 'all';
  if (flags.name !== undefined && kind !== 'subgraph') throw invalid('--name belongs to --role subgraph');
  if (flags.supergraph !== undefined && kind === 'subgraph')
    throw invalid('--supergraph belongs to the gateway: a subgraph serves its own schema');
  switch (kind) {
    case 'all':
      return { kind, supergraphFile: flags.supergraph === undefined ? null : resolve(flags.supergraph) };
    case 'gateway':
      return { kind, supergraphFile: resolve(flags.supergraph ?? fileURLToPath(SUPERGRAPH_FILE)) };
    case 'subgraph':
      assertServices(environment);
      return { kind, name: subgraphName(flags.name) };
  }
}

function subgraphName(given: string | undefined) {
  const known = SUBGRAPH_NAMES.join(', ');
  if (given === undefined) throw invalid(`--role subgraph needs --name, one of ${known}`);
  const name = SUBGRAPH_NAMES.find((candidate) => candidate === given);
  if (name !== undefined) return name;
  const nearest = nearestName(given, SUBGRAPH_NAMES);
  const hint = nearest === null ? `they are ${known}` : `did you mean "${nearest}"?`;
  throw invalid(`there is no subgraph "${given}" here; ${hint}`);
}

function assertServices({ databaseUrl, redisUrl }: Pick<Environment, 'databaseUrl' | 'redisUrl'>): void {
  const missing = [
    ...(databaseUrl === null ? ['DATABASE_URL (PostgreSQL)'] : []),
    ...(redisUrl === null ? ['REDIS_URL'] : []),
  ];
  if (missing.length === 0) return;
  throw invalid(
    `a subgraph of its own shares its state with the others: set ${missing.join(' and ')}, the same in every subgraph process`,
  );
}

/**
 * The configured subgraphs with the addresses of `--subgraph-url name=url`; whoever is not one of ours is told nothing
 * unless its entry says so. @throws {MortarError} CONFIGURATION_INVALID
 */
export function withSubgraphUrls(configured: readonly SubgraphEntry[], given: readonly string[]): SubgraphConfig[] {
  const entries = new Map(configured.map((entry) => [entry.name, entry]));
  for (const text of given) {
    const [name = '', ...rest] = text.split('=');
    const url = rest.join('=');
    const protocol = URL.parse(url)?.protocol ?? '';
    if (name === '' || !['http:', 'https:'].includes(protocol))
      throw invalid(`--subgraph-url "${name}" is not like name=http://host:port/graphql`);
    entries.set(name, { plainText: false, ...entries.get(name), name, url });
  }
  return [...entries.values()].map((entry) => ({ ...entry, trust: entry.trust ?? defaultTrust(entry.name) }));
}

function defaultTrust(name: string): SubgraphConfig['trust'] {
  return SUBGRAPH_NAMES.some((ours) => ours === name) ? 'context' : 'none';
}

function invalid(message: string): MortarError {
  return new MortarError('CONFIGURATION_INVALID', { message });
}
