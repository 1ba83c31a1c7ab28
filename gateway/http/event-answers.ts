import { print } from 'graphql-sse';

import { requestError } from './request-error.ts';

/** What a client takes: events and nothing else, events as well as JSON, or no events. */
export type EventsWanted = 'only' | 'also' | 'no';

/** Reads the Accept header: events are never sent to who did not name them. */
export function eventsWanted(accept: string | undefined): EventsWanted {
  const types = (accept ?? '')
    .split(',')
    .map((range) => range.trim().toLowerCase())
    .filter((range) => !/;\s*q=0(?:\.0*)?\s*$/.test(range))
    .map((range) => range.split(';')[0]?.trim() ?? '');
  if (!types.includes('text/event-stream')) return 'no';
  const json = ['application/json', 'application/graphql-response+json', 'application/*', '*/*'];
  return types.some((type) => json.includes(type)) ? 'also' : 'only';
}

/** Codes that end a request before GraphQL; clients look at their status. All others are events, as graphql-sse demands. */
const BY_STATUS: ReadonlySet<string> = new Set([
  'UNAUTHENTICATED',
  'PURPOSE_NOT_ALLOWED',
  'BAD_REQUEST',
  'METHOD_NOT_ALLOWED',
  'OVERLOADED',
  'SUBGRAPH_UNAVAILABLE',
]);

interface JsonAnswer {
  readonly status: number;
  readonly headers: Iterable<readonly [string, string]>;
  readonly body: string;
}

/** An answer in JSON as a stream of one event that is then complete. */
export function toEventAnswer<A extends JsonAnswer>(answer: A, outcome: string): A {
  if (BY_STATUS.has(outcome)) return answer;
  const data = JSON.parse(answer.body) as Record<string, unknown>;
  return {
    ...answer,
    status: 200,
    headers: [['content-type', 'text/event-stream; charset=utf-8']],
    body: print({ event: 'next', data }) + print({ event: 'complete', data: null }),
  };
}

/** The parameters of a GET as the body of a POST, which is how subscriptions are admitted. @throws {GraphQLError} BAD_REQUEST */
export function bodyOfSearch(search: string): Readonly<Record<string, unknown>> {
  const parameters = new URLSearchParams(search);
  const body: Record<string, unknown> = {};
  for (const name of ['query', 'operationName']) {
    const value = parameters.get(name);
    if (value !== null) body[name] = value;
  }
  for (const name of ['variables', 'extensions']) {
    const value = parameters.get(name);
    if (value !== null) body[name] = parseParameter(name, value);
  }
  return body;
}

function parseParameter(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw requestError('BAD_REQUEST', `The parameter ${name} is not valid JSON.`);
  }
}
