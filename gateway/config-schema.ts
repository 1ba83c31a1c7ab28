import { z } from 'zod';

import type { LogLevel } from '#platform/log.ts';
import { retailConfig, systemConfig } from '#schema/model/configuration.ts';

/** Names of the claims a token carries, for issuers that cannot use ours. */
export const claimNames = z.strictObject({
  scope: z.string().default('scope'),
  role: z.string().default('role'),
  purposes: z.string().default('purposes'),
  storeIds: z.string().default('store_ids'),
  customerId: z.string().default('customer_id'),
  recipient: z.string().default('recipient'),
});
export type ClaimNames = z.infer<typeof claimNames>;

/** Who vouches for callers: an OAuth 2 issuer with a discovery document, and the audience its tokens name. */
const issuerConfig = z.strictObject({
  url: z.url({ protocol: /^https?$/ }),
  audience: z.string().min(1),
  claims: claimNames.prefault({}),
});
export type IssuerConfig = z.infer<typeof issuerConfig>;

const milliseconds = z.int().min(50).max(120_000);

/** What one request may ask for. Each is a count unless its name says otherwise. */
export const limitsConfig = z.strictObject({
  /** Nested levels of fields, fragments followed. */
  depth: z.int().min(1).max(100).default(15),
  aliases: z.int().min(0).max(1_000).default(30),
  rootFields: z.int().min(1).max(200).default(20),
  /** Lexical tokens, and 50 times as many characters; bounds the quadratic part of validation. */
  tokens: z.int().min(100).max(20_000).default(2_000),
  directives: z.int().min(0).max(1_000).default(50),
  /** Objects an answer may hold at most by its page sizes (@listSize). */
  cost: z.int().min(1).default(50_000),
  /** Rows a page. */
  pageSize: z.int().min(1).max(100).default(100),
  /** Keys in one list argument. */
  listSize: z.int().min(1).max(200).default(200),
  bodyBytes: z.int().min(1_024).default(1_048_576),
  /** Milliseconds a request may take, by what it does. */
  requestMs: z.strictObject({ query: milliseconds.default(5_000), mutation: milliseconds.default(5_000) }).prefault({}),
  /** Milliseconds one subgraph fetch may take: a slow subgraph costs its own fields, not the rest of the request. */
  fetchMs: milliseconds.default(3_500),
});
export type LimitsConfig = z.infer<typeof limitsConfig>;

/** The shape of mortar.config.yaml. */
export const fileConfig = z.strictObject({
  issuer: issuerConfig,
  systems: z.array(systemConfig).min(1),
  retail: retailConfig,
  /** Where callers reach the gateway, when a proxy stands before it; absent: what the request says. */
  publicUrl: z.url({ protocol: /^https?$/ }).optional(),
  imports: z.strictObject({ consents: z.array(z.string()).default([]) }).prefault({}),
  limits: limitsConfig.prefault({}),
  /** Origins whose pages may call the graph; absent: only pages of the gateway's own origin. */
  cors: z.strictObject({ origins: z.array(z.url({ protocol: /^https?$/ })) }).optional(),
});
export type FileConfig = z.infer<typeof fileConfig>;

/** Everything the process was told, checked: file, flags and environment. */
export interface Config extends FileConfig {
  readonly production: boolean;
  /** Absolute folder of the process's own files. */
  readonly home: string;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly metricsPort: number;
  /** Null: SQLite in `databaseFile`. */
  readonly databaseUrl: string | null;
  /** Absolute; a sandbox's file is named for its world, so that two worlds never share directories. */
  readonly databaseFile: string;
  /** Null: values are cached in memory. */
  readonly redisUrl: string | null;
  readonly logLevel: LogLevel;
  /** The systems are the sandbox's; then development clients get tokens by one click. */
  readonly sandbox: boolean;
  /** /readyz waits for the first load of every feed (small sandbox); otherwise it serves meanwhile. */
  readonly waitForFirstLoad: boolean;
  /** Variables with keys (MORTAR_ROOT_KEY and the like, see platform/keys.ts). */
  readonly keyVariables: Readonly<Record<string, string | undefined>>;
}
