import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { parseConfigText } from './config-file.ts';
import type { Config, ServeRole } from './config-schema.ts';
import { assertProductionReady } from './production-rules.ts';
import { readRole, withSubgraphUrls } from './role.ts';
import { MortarError } from '#platform/errors.ts';
import { LOG_LEVELS, type LogLevel } from '#platform/log.ts';

/** What the process environment says; read once. */
export interface Environment {
  readonly production: boolean;
  readonly databaseUrl: string | null;
  readonly redisUrl: string | null;
  readonly logLevel: LogLevel;
  /** Every variable, for references in credentials and keys. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/** Flags of `mortar serve`; undefined: not given. */
export interface ServeFlags {
  readonly config?: string | undefined;
  readonly home: string;
  readonly host: string;
  readonly port: number;
  readonly metricsPort?: number | undefined;
  readonly sandboxPort: number;
  readonly controlPort: number;
  readonly scale: 'small' | 'medium' | 'large';
  readonly seed: number;
  readonly dataset?: string | undefined;
  readonly stores?: string | undefined;
  /** @default 'all' */
  readonly role?: ServeRole['kind'] | undefined;
  /** The configuration is that of a sandbox that runs by itself. @default false */
  readonly sandbox?: boolean | undefined;
  /** Of the subgraph to serve. */
  readonly name?: string | undefined;
  readonly supergraph?: string | undefined;
  /** Each `name=url`: where a subgraph is, instead of what the configuration says. */
  readonly subgraphUrl?: readonly string[] | undefined;
}

/**
 * @param variables default: those of the process
 * @throws {MortarError} CONFIGURATION_INVALID when LOG_LEVEL is not a level, DATABASE_URL or REDIS_URL no such address
 */
export function readEnvironment(variables: Environment['variables'] = { ...process.env }): Environment {
  const production = variables['NODE_ENV'] === 'production';
  // At a desk the summary is what matters; trouble still shows.
  const level = variables['LOG_LEVEL'] ?? (production ? 'info' : 'warn');
  const logLevel = LOG_LEVELS.find((known) => known === level);
  if (logLevel === undefined) {
    throw new MortarError('CONFIGURATION_INVALID', {
      message: `LOG_LEVEL is "${level}"; it is one of ${LOG_LEVELS.join(', ')}`,
    });
  }
  return {
    production,
    databaseUrl: readAddress(variables, 'DATABASE_URL', ['postgres:', 'postgresql:']),
    redisUrl: readAddress(variables, 'REDIS_URL', ['redis:', 'rediss:']),
    logLevel,
    variables,
  };
}

/** Null: not set. The message never shows the value, which may hold a password. */
function readAddress(
  variables: Environment['variables'],
  name: string,
  protocols: readonly [string, ...string[]],
): string | null {
  const text = variables[name] || null;
  if (text === null || protocols.includes(URL.parse(text)?.protocol ?? '')) return text;
  throw new MortarError('CONFIGURATION_INVALID', { message: `${name} is not an address like ${protocols[0]}//host` });
}

export interface LoadConfigOptions {
  readonly file: string;
  readonly flags: ServeFlags;
  readonly environment: Environment;
  /** The file is the sandbox's own. */
  readonly sandbox: boolean;
}

/**
 * File, flags and environment as one checked configuration.
 * @throws {MortarError} CONFIGURATION_INVALID with `file:line:column` of every finding
 */
export function loadConfig({ file, flags, environment, sandbox }: LoadConfigOptions): Config {
  const role = readRole(flags, environment);
  const content = parseConfigText({
    file,
    text: readConfigFile(file),
    variables: environment.variables,
    production: environment.production,
    gatewayOnly: role.kind === 'gateway',
    routes: role.kind !== 'subgraph',
  });
  const folder = dirname(resolve(file));
  const config: Config = {
    ...content,
    role,
    subgraphs: withSubgraphUrls(content.subgraphs, flags.subgraphUrl ?? []),
    imports: { consents: content.imports.consents.map((path) => resolve(folder, path)) },
    production: environment.production,
    home: resolve(flags.home),
    host: flags.host,
    port: flags.port,
    metricsPort: flags.metricsPort ?? (flags.port === 0 ? 0 : flags.port + 1),
    databaseUrl: environment.databaseUrl,
    databaseFile: join(resolve(flags.home), sandbox ? `sandbox/${worldName(flags)}.sqlite` : 'mortar.sqlite'),
    redisUrl: environment.redisUrl,
    logLevel: environment.logLevel,
    sandbox,
    waitForFirstLoad: sandbox && flags.scale === 'small',
    keyVariables: Object.fromEntries(
      Object.entries(environment.variables).filter(
        ([name]) => name === 'MORTAR_ROOT_KEY' || name.startsWith('MORTAR_KEY_'),
      ),
    ),
  };
  if (config.production) assertProductionReady(config);
  return config;
}

/** Names what decides a sandbox's world. */
function worldName({ scale, seed, dataset, stores }: ServeFlags): string {
  const files = [dataset, stores].map((file) => (file === undefined ? '' : resolve(file)));
  const suffix = files.every((file) => file === '')
    ? ''
    : `-${createHash('sha256').update(files.join('\n')).digest('hex').slice(0, 8)}`;
  return `world-${scale}-${seed}${suffix}`;
}

function readConfigFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new MortarError('CONFIGURATION_INVALID', {
      message: `cannot read the configuration file ${file}: ${error instanceof Error ? error.message : 'unknown cause'}`,
      cause: error,
    });
  }
}
