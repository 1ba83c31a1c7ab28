import { Kind, OperationTypeNode } from 'graphql';

import {
  createExchanger,
  type Endpoint,
  type Exchange,
  type ExchangeAnswer,
  ExchangeError,
  type Exchanger,
} from './exchange.ts';
import { createRemoteWatches } from './remote-watch.ts';
import { maskForeignErrors } from './foreign-errors.ts';
import { readResult } from './read-result.ts';
import { NOTICES_KEY, readNotices } from './wire-notices.ts';
import type { SourceFetch, SubgraphAddress, SubgraphSource } from '#gateway/executor/subgraph-calls.ts';
import { adoptTracePart } from '#gateway/trace/trace-part.ts';
import type { Clock } from '#platform/clock.ts';
import { CONTEXT_HEADER, type SignContext } from '#platform/context-token.ts';
import { MortarError } from '#platform/errors.ts';
import { ASYMMETRIC_KEYS } from '#platform/keys.ts';
import type { Logger } from '#platform/log.ts';
import type { SubgraphResult } from '#platform/subgraph.ts';

/** What is known of a subgraph beside the supergraph; see `subgraphs` of the configuration. */
export interface RemoteSubgraph {
  readonly name: string;
  /** @default the one the supergraph names; whoever is told the caller has one here, for the file moves by itself */
  readonly url?: string | undefined;
  /**
   * `context`: one of ours. It gets the signed request context (person, scopes, purpose) and is believed what it tells of
   * refusals and degraded sources. `token`: it gets the caller's own token, purpose and medium. `none`: the document, its
   * variables and the request id.
   */
  readonly trust: 'context' | 'token' | 'none';
  /** @default the engine's */
  readonly fetchMs?: number | undefined;
  /** Sent with each fetch beside our own; names in small letters. @default none */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export interface RemoteSourcesDeps {
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'warn'>;
  /** A subgraph that is not listed is told nothing of the caller. */
  readonly subgraphs?: readonly RemoteSubgraph[];
  /** Null: there is no key; subgraphs that trust the context are then refused. */
  readonly sign: SignContext | null;
}

/** Subgraphs of other processes, over one set of connections. */
export interface RemoteSources {
  /** Null: nobody knows an address. @throws {MortarError} CONFIGURATION_INVALID when it is none we may call, or no key signs */
  readonly find: (address: SubgraphAddress) => SubgraphSource | null;
  /** Closes the connections to addresses that none of these has, each once what runs there is over. */
  readonly retain: (subgraphs: readonly SubgraphAddress[]) => void;
  /** Breaks off what runs. */
  readonly close: () => Promise<void>;
}

export function createRemoteSources(deps: RemoteSourcesDeps): RemoteSources {
  const exchanger = createExchanger();
  const watches = createRemoteWatches();
  const known = new Map(deps.subgraphs?.map((subgraph) => [subgraph.name, subgraph]));
  const addressOf = ({ name, url: composed }: SubgraphAddress): string => known.get(name)?.url ?? composed;
  return {
    find: ({ name, url: composed }) => {
      const { trust = 'none', fetchMs, headers = {} } = known.get(name) ?? {};
      const address = addressOf({ name, url: composed });
      // What composition writes for a subgraph of this process.
      if (address === '' || address.startsWith('mortar:')) return null;
      if (trust !== 'none' && known.get(name)?.url === undefined)
        throw invalid(
          `the subgraph ${name} is told who asks (trust: ${trust}), so the configuration names its url, not the supergraph`,
        );
      const url = readUrl(name, address);
      const sign = trust === 'context' ? signerOf(name, deps) : null;
      const endpoint = { origin: url.origin, path: url.pathname + url.search };
      const fixedHeaders = headersFor(trust, headers);
      const remote: Remote = { ...deps, name, endpoint, trust, sign, fixedHeaders, exchanger };
      const { logger } = deps;
      return {
        name,
        fetchMs,
        execute: (fetch) => callRemote(remote, fetch),
        ...(sign !== null && { watch: (watch) => watches.open({ name, url, sign, logger }, watch) }),
      };
    },
    close: async () => {
      await Promise.all([exchanger.close(), watches.close()]);
    },
    retain: (subgraphs) => {
      exchanger.retain(new Set(subgraphs.flatMap((subgraph) => URL.parse(addressOf(subgraph))?.origin ?? [])));
    },
  };
}

const OUR_HEADERS = {
  'content-type': 'application/json',
  accept: 'application/graphql-response+json, application/json',
  'accept-encoding': 'gzip, br',
};
/** What tells of the caller, by who is told: never what the configuration says. */
const TOLD_HEADERS = {
  none: ['x-request-id'],
  token: ['x-request-id', 'authorization', 'mortar-purpose', 'mortar-medium'],
  context: ['x-request-id', CONTEXT_HEADER],
} as const satisfies Record<RemoteSubgraph['trust'], readonly string[]>;

/** Names and values in turn of what is the same for each fetch; given ones never stand in the place of ours. */
function headersFor(trust: RemoteSubgraph['trust'], given: Readonly<Record<string, string>>): readonly string[] {
  const ours: ReadonlySet<string> = new Set([...Object.keys(OUR_HEADERS), ...TOLD_HEADERS[trust]]);
  const others = Object.entries(given).filter(([name]) => !ours.has(name));
  return [...others, ...Object.entries(OUR_HEADERS)].flat();
}

function readUrl(name: string, address: string): URL {
  const url = URL.parse(address);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw invalid(`the address of the subgraph ${name} is not an http or https URL`);
  if (url.username !== '' || url.password !== '')
    throw invalid(`the address of the subgraph ${name} holds a password, and addresses are no secrets`);
  return url;
}

function signerOf(name: string, { sign }: RemoteSourcesDeps): SignContext {
  if (sign !== null) return sign;
  const { variable } = ASYMMETRIC_KEYS.contextSigning;
  throw invalid(`the subgraph ${name} trusts the signed context, and ${variable} is not set`);
}

function invalid(message: string): MortarError {
  return new MortarError('CONFIGURATION_INVALID', { message });
}

interface Remote {
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly trust: RemoteSubgraph['trust'];
  readonly sign: SignContext | null;
  /** The same for each fetch: names and values in turn. */
  readonly fixedHeaders: readonly string[];
  readonly exchanger: Exchanger;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'warn'>;
}

/** Rejects with a reason of our own words; the executor makes it SUBGRAPH_UNAVAILABLE at the fields it costs. */
async function callRemote(remote: Remote, fetch: SourceFetch): Promise<SubgraphResult> {
  try {
    const startedAtMs = remote.clock.nowMs();
    const exchange = exchangeOf(remote, fetch);
    let answer: ExchangeAnswer;
    try {
      answer = await remote.exchanger.send(exchange);
    } catch (error) {
      // A kept connection that the other side just closed: only what changes nothing may be sent a second time.
      const again = error instanceof ExchangeError && error.unanswered && !fetch.waiting.isOver && isQuery(fetch);
      if (!again) throw error;
      answer = await remote.exchanger.send(exchange);
    }
    return toResult(remote, answer, (told) => adoptTracePart(told, fetch.request.trace, startedAtMs));
  } catch (error) {
    // A client that left, or a time that is over, says nothing of the subgraph.
    if (!fetch.waiting.isOver) {
      const reason = error instanceof Error ? error.message : 'unknown';
      remote.logger.warn({ subgraph: remote.name, requestId: fetch.request.requestId, reason }, 'a subgraph failed');
    }
    throw error;
  }
}

function isQuery({ document }: SourceFetch): boolean {
  return document.definitions.every(
    (node) => node.kind !== Kind.OPERATION_DEFINITION || node.operation === OperationTypeNode.QUERY,
  );
}

function exchangeOf(remote: Remote, fetch: SourceFetch): Exchange {
  const { text: query, variables, operationName, request, waiting } = fetch;
  // What is undefined is not written.
  const body = JSON.stringify({ query, variables, operationName });
  const { requestId, purpose, medium } = request;
  const headers = [...remote.fixedHeaders, 'x-request-id', requestId];
  if (remote.sign !== null) headers.push(CONTEXT_HEADER, signedContext(remote.sign, remote, { fetch, body }));
  if (remote.trust === 'token') {
    if (fetch.authorization !== undefined) headers.push('authorization', fetch.authorization);
    if (purpose !== null) headers.push('mortar-purpose', purpose);
    if (medium !== null) headers.push('mortar-medium', medium);
  }
  return { endpoint: remote.endpoint, headers, body, waiting };
}

function signedContext(
  sign: SignContext,
  { name, clock }: Remote,
  { fetch, body }: { readonly fetch: SourceFetch; readonly body: string },
): string {
  const { requestId, principal, purpose, medium, shareKey } = fetch.request;
  const timeLeftMs = Math.max(1, fetch.deadlineAtMs - clock.nowMs());
  const facts = { requestId, principal, purpose, medium, timeLeftMs, ...(shareKey === undefined ? {} : { shareKey }) };
  return sign(facts, { subgraph: name, body });
}

const GRAPHQL_RESPONSE = 'application/graphql-response+json';
/** They speak of our access or of load, whatever the body says. */
const NEVER_AN_ANSWER: ReadonlySet<number> = new Set([401, 403, 407, 408, 429]);

function toResult(
  { trust }: Remote,
  { status, mediaType, text, wire }: ExchangeAnswer,
  adoptTrace: (told: unknown) => void,
): SubgraphResult {
  const wellFormed = mediaType === GRAPHQL_RESPONSE && status >= 400 && status < 500 && !NEVER_AN_ANSWER.has(status);
  if (!(status >= 200 && status < 300) && !wellFormed) throw new Error(`it answered with status ${status}`);
  if (mediaType !== GRAPHQL_RESPONSE && mediaType !== 'application/json') throw new Error('it answered no JSON');
  const { extensions, errors, data } = readResult(text);
  if (trust !== 'context')
    return { data, errors: maskForeignErrors(errors), extensions, wire, refusals: [], degraded: [] };
  const { [NOTICES_KEY]: notices, ...rest } = extensions ?? {};
  adoptTrace(notices);
  return { data, errors, extensions: rest, wire, ...readNotices(notices) };
}
