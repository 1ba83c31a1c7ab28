import type { FastifyInstance, FastifyRequest } from 'fastify';

import { requestError } from './request-error.ts';
import type { SubgraphCaller } from './subgraph-caller.ts';
import { assertJsonLimits, type JsonLimits } from '#gateway/plugins/json-limits.ts';

/** Bodies of a subgraph: text, until whoever sent it is known. */
export interface SubgraphBodies {
  /** The exact bytes, which a signature is over; empty: there is no body. */
  readonly textOf: (request: FastifyRequest) => string;
  /**
   * What it says; `caller` is who sent it. What no gateway of ours vouches for is bounded before it is parsed: 8 MiB of
   * brackets hold a process for a second.
   * @throws {GraphQLError} BAD_REQUEST, LIMIT_DEPTH, LIMIT_LIST
   */
  readonly parse: (request: FastifyRequest, caller: SubgraphCaller | null) => Promise<unknown>;
}

/** Another router may ask for 5,000 entities at once, each with a key of some fields. */
const ROUTED: JsonLimits = { values: 100_000 };

/** Has an app keep its JSON bodies as they came. */
export function keepBodyText(app: FastifyInstance): SubgraphBodies {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => done(null, text));
  // Bodies of other types are refused before, an absent one is not.
  const textOf = ({ body }: FastifyRequest): string => (typeof body === 'string' ? body : '');
  return {
    textOf,
    parse: async (request, caller) => {
      const text = textOf(request);
      if (caller?.from !== 'gateway') assertJsonLimits(text, caller === null ? {} : ROUTED);
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      void parse(request, text, (error, json) => {
        if (error === null) resolve(json);
        else reject(requestError('BAD_REQUEST', 'The request body is not valid JSON.'));
      });
      return await promise;
    },
  };
}
