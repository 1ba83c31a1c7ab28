import type { Config, SubgraphConfig } from './config-schema.ts';
import { MortarError } from '#platform/errors.ts';

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]', '::1']);
const WEAK_SECRET = /^(sandbox|mortar-development|development|dev|test|changeme|change-me|secret|password|example)\b/i;

/**
 * Refuses what is convenient on a desk and dangerous in production: the sandbox, default secrets, a database or Redis in
 * plain text over a network.
 * @throws {MortarError} CONFIGURATION_INVALID with every finding, one a line
 */
export function assertProductionReady(config: Config): void {
  const findings = [
    ...(config.sandbox ? ['the sandbox never runs in production: pass --config with your own systems'] : []),
    ...plainDatabase(config.databaseUrl),
    ...plainRedis(config.redisUrl),
    ...config.subgraphs.flatMap(plainSubgraph),
    ...config.subgraphs.flatMap(({ name, headers = {} }) =>
      Object.entries(headers)
        .filter(([, value]) => WEAK_SECRET.test(value))
        .map(([key]) => `subgraphs.${name}.headers.${key} holds a default secret`),
    ),
    ...config.systems.flatMap((system) =>
      Object.entries(system.credentials)
        .filter(([, value]) => WEAK_SECRET.test(value))
        .map(([key]) => `systems.${system.id}.credentials.${key} holds a default secret`),
    ),
  ];
  if (findings.length === 0) return;
  throw new MortarError('CONFIGURATION_INVALID', {
    message: `refused in production (NODE_ENV=production):\n${findings.map((finding) => `  ${finding}`).join('\n')}`,
  });
}

function plainDatabase(text: string | null): string[] {
  const url = text === null ? null : URL.parse(text);
  if (text !== null && url === null) return ['DATABASE_URL is not a URL'];
  if (url === null || LOOPBACK.has(url.hostname)) return [];
  const mode = url.searchParams.get('sslmode');
  const encrypted = mode === 'require' || mode === 'verify-ca' || mode === 'verify-full';
  return encrypted ? [] : ['DATABASE_URL goes over the network in plain text: add sslmode=verify-full'];
}

function plainRedis(text: string | null): string[] {
  const url = text === null ? null : URL.parse(text);
  if (text !== null && url === null) return ['REDIS_URL is not a URL'];
  if (url === null || LOOPBACK.has(url.hostname) || url.protocol === 'rediss:') return [];
  return ['REDIS_URL goes over the network in plain text: use rediss://'];
}

function plainSubgraph({ name, url, plainText }: SubgraphConfig): string[] {
  if (plainText || url === undefined || !isPlainOverNetwork(url)) return [];
  return [
    `subgraphs: ${name} is reached over the network in plain text: use https, or say plainText: true where a mesh encrypts`,
  ];
}

/** Plain http that leaves the machine. */
export function isPlainOverNetwork(url: string): boolean {
  const { protocol = 'https:', hostname = '' } = URL.parse(url) ?? {};
  return protocol === 'http:' && !LOOPBACK.has(hostname);
}
