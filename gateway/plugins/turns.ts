import type { ApolloServerPlugin } from '@apollo/server';

import type { GatewayContext } from '#gateway/executor/context.ts';
import { giveWay } from '#platform/turns.ts';

/** Parsing, validating and planning a large document take up to 40 ms each: the event loop has a turn for others between them. */
export function createTurnsPlugin(): ApolloServerPlugin<GatewayContext> {
  return {
    requestDidStart: () => {
      let sinceMs = performance.now();
      const rest = async (): Promise<void> => {
        await giveWay(sinceMs);
        sinceMs = performance.now();
      };
      return Promise.resolve({
        parsingDidStart: async () => {
          await rest();
          return rest;
        },
        validationDidStart: () => Promise.resolve(rest),
      });
    },
  };
}
