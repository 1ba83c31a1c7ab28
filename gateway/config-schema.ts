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

/** Open event streams (subscriptions). */
export const streamsConfig = z.strictObject({
  perProcess: z.int().min(0).max(100_000).default(2_000),
  /** Streams of one client of the issuer; of a customer's token, those of the customer. */
  perCaller: z.int().min(0).max(100_000).default(100),
  /** Milliseconds after which a stream is ended, and the client comes again. */
  lifeMs: z.int().min(1_000).max(86_400_000).default(3_600_000),
  /** Milliseconds between two signs of life, so that proxies keep the connection. */
  heartbeatMs: z.int().min(1_000).max(120_000).default(15_000),
  /** Milliseconds in which changes of the same things are one event. */
  windowMs: z.int().min(10).max(10_000).default(100),
});
export type StreamsConfig = z.infer<typeof streamsConfig>;

/** What one request may ask for. Each is a count unless its name says otherwise. */
export const limitsConfig = z.strictObject({
  /** Nested levels of fields, fragments followed. */
  depth: z.int().min(1).max(100).default(15),
  aliases: z.int().min(0).max(1_000).default(30),
  rootFields: z.int().min(1).max(200).default(20),
  /** Lexical tokens, as many line ends, and 50 times as many characters; bounds the quadratic part of validation. */
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
  streams: streamsConfig.prefault({}),
  /** Milliseconds one subgraph fetch may take: a slow subgraph costs its own fields, not the rest of the request. */
  fetchMs: milliseconds.default(3_500),
});
export type LimitsConfig = z.infer<typeof limitsConfig>;

/** Ours, the caller's, or those of the connection: they say what they say. */
const OWN_HEADERS =
  /^(?:mortar-.*|x-request-id|host|connection|keep-alive|upgrade|te|trailer|transfer-encoding|expect|cookie|(?:content|accept|proxy)(?:-.*)?)$/;
const subgraphHeaders = z.record(
  z
    .string()
    .regex(/^[a-z\d][a-z\d-]{0,63}$/, 'a name of a header: small letters, digits and - (at most 64)')
    .refine((name) => !OWN_HEADERS.test(name), 'this header is not yours to set'),
  z.string().min(1).max(4_000),
);

/** A subgraph of a process of its own: one of ours (`serve --role subgraph`), or any other of federation 2. */
const subgraphConfig = z.strictObject({
  /** As the supergraph calls it. */
  name: z.string().regex(/^[A-Za-z][\w-]{0,63}$/, 'a name: letters, digits, _ and - (at most 64)'),
  /** Where the gateway reaches it; absent: at the URL the supergraph names. */
  url: z.url({ protocol: /^https?$/ }).optional(),
  /**
   * Whom it believes about the caller: `context`, our gateway, which signs it; `token`, the issuer, whose token is handed
   * on with `mortar-purpose` and `mortar-medium` (for other routers); `none`: it is told nothing of the caller. Absent:
   * `context` for ours, `none` for others.
   */
  trust: z.enum(['context', 'token', 'none']).optional(),
  /** Milliseconds one fetch may take; absent: `limits.fetchMs`. */
  fetchMs: milliseconds.optional(),
  /** Sent with each fetch, for example a key of the gateway's own; values as in credentials (`${NAME}`). */
  headers: subgraphHeaders.optional(),
  /** In production: plain http over the network is no oversight, something else encrypts it (a mesh). */
  plainText: z.boolean().default(false),
});
export type SubgraphEntry = z.infer<typeof subgraphConfig>;

/** An entry with what it leaves out. */
export interface SubgraphConfig extends SubgraphEntry {
  readonly trust: NonNullable<SubgraphEntry['trust']>;
}

const isCallersOwn = ({ trust, headers }: SubgraphEntry): boolean =>
  trust === 'token' && headers?.['authorization'] !== undefined;

const hasUniqueNames = (entries: readonly SubgraphEntry[]): boolean =>
  new Set(entries.map(({ name }) => name)).size === entries.length;

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
  /** Subgraphs of other processes; where ours run in the same process, entries of ours are not read. */
  subgraphs: z
    .array(subgraphConfig)
    .refine(hasUniqueNames, 'two subgraphs have one name')
    .refine((entries) => !entries.some(isCallersOwn), 'with trust: token the header authorization is the caller’s')
    .refine(
      (entries) => !entries.some(({ url, headers }) => url === undefined && headers !== undefined),
      'headers need a url beside them',
    )
    .default([]),
});

/** The same file to a process that only routes: systems and retailer are none of its business. */
export const gatewayFileConfig = fileConfig.extend({
  systems: z.array(systemConfig).default([]),
  retail: retailConfig.prefault({ channels: [], authorities: [] }),
});
export type FileConfig = z.infer<typeof fileConfig>;

/** Our own subgraphs: each can be a process of its own. */
export const SUBGRAPH_NAMES = ['catalog', 'inventory', 'customers', 'orders', 'consent'] as const;
export type SubgraphName = (typeof SUBGRAPH_NAMES)[number];

/**
 * What a process is: the gateway and all our subgraphs, beside them others where a supergraph of its own names them; the
 * gateway of subgraphs elsewhere; or one of our subgraphs. Supergraph files are absolute; null: the committed one.
 */
export type ServeRole =
  | { readonly kind: 'all'; readonly supergraphFile: string | null }
  | { readonly kind: 'gateway'; readonly supergraphFile: string }
  | { readonly kind: 'subgraph'; readonly name: SubgraphName };

/** Everything the process was told, checked: file, flags and environment. */
export interface Config extends Omit<FileConfig, 'subgraphs'> {
  readonly role: ServeRole;
  readonly subgraphs: SubgraphConfig[];
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
