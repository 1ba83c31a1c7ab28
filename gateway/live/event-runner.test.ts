import { ApolloServer } from '@apollo/server';
import { parse } from 'graphql';
import { expect, it, onTestFinished } from 'vitest';

import { createEventRunner } from './event-runner.ts';
import type { LiveRequest } from './live-streams.ts';
import type { TwinQuery } from './twin-query.ts';
import { limitsConfig } from '#gateway/config-schema.ts';
import type { GatewayContext } from '#gateway/executor/context.ts';
import { requestError } from '#gateway/http/request-error.ts';
import { systemClock } from '#platform/clock.ts';
import type { ErrorCode } from '#platform/errors.ts';
import { aRequestOf } from '#test/support/requests.ts';

const TEXT = '{ stock }';
const twin: TwinQuery = {
  text: TEXT,
  operationName: undefined,
  field: 'stockChanged',
  arguments: {},
  variablesFor: () => ({}),
};

/** One event that the server refuses as a whole. */
async function runRefused(code: ErrorCode) {
  const server = new ApolloServer<GatewayContext>({
    typeDefs: 'type Query { stock: Int }',
    plugins: [
      {
        requestDidStart: () => Promise.resolve({ didResolveOperation: () => Promise.reject(requestError(code)) }),
      },
    ],
  });
  await server.start();
  onTestFinished(async () => server.stop());
  const caller = { ...aRequestOf(), request: aRequestOf(), authorization: undefined };
  const document = parse(TEXT);
  const request: LiveRequest = {
    requestId: 'r',
    // The twin is what runs.
    operation: { document, operation: document.definitions[0] as LiveRequest['operation']['operation'], variables: {} },
    caller,
    authenticate: () => Promise.resolve(caller),
    tokenEndsAtMs: Number.POSITIVE_INFINITY,
  };
  const nothing = (): void => undefined;
  const runner = createEventRunner(
    {
      server,
      current: () => null,
      watch: () => Promise.resolve(nothing),
      sourceOf: () => null,
      limits: limitsConfig.parse({}),
      clock: systemClock,
      logger: { debug: nothing, info: nothing, warn: nothing, error: nothing },
      metrics: { observeStream: nothing },
      traces: { keep: nothing },
    },
    request,
    twin,
  );
  return runner.run(null);
}

it.each<[ErrorCode, 'failed' | 'refused']>([
  // The stream breaks, and its client comes again by itself.
  ['OVERLOADED', 'failed'],
  ['DEADLINE_EXCEEDED', 'failed'],
  ['INTERNAL_SERVER_ERROR', 'failed'],
  // It is completed: the same would be refused again.
  ['GRAPHQL_VALIDATION_FAILED', 'refused'],
  ['LIMIT_COST', 'refused'],
  ['PURPOSE_REQUIRED', 'refused'],
])('an event that is refused with %s ends its stream as %s', async (code, end) => {
  const told = await runRefused(code);
  expect(told).toMatchObject({ end, outcome: code, answer: { errors: [{ extensions: { code } }] } });
});
