// Rules of the kit and of connectors, each of which some item of the conformance list rests on: without it a case must fail.
import type { Patch } from './sabotage/patch.ts';

export interface BrokenRule {
  /** The item of the list that must notice. */
  readonly item: string;
  /** Whose suite is run. */
  readonly connector: string;
  /** Titles of cases that are run; one must fail. */
  readonly cases: string;
  readonly patches: readonly Patch[];
}

export const BROKEN_RULES: readonly BrokenRule[] = [
  {
    item: 'spec validity',
    connector: 'carrier-shipengine',
    cases: 'can do what its ports are for',
    patches: [
      {
        module: 'connectors/carrier-shipengine/connector.ts',
        rule: "capabilities: ['rates:read', ",
        without: "capabilities: ['stock:read', 'rates:read', ",
      },
    ],
  },
  {
    item: 'missing key',
    connector: 'pos-square',
    cases: 'leaves missing ones empty',
    patches: [
      {
        module: 'connectors/kit/batch.ts',
        rule: 'return definition.absent === null ? null : seal(definition.absent, origin);',
        without: "throw new Error('nobody');",
      },
    ],
  },
  {
    item: 'duplicate key',
    connector: 'wms-connect',
    cases: 'asks a duplicate once',
    patches: [
      {
        module: 'connectors/kit/batch.ts',
        rule: 'const askable = [...distinct].filter(([text]) => mayExist(text)).map(([, key]) => key);',
        without: 'const askable = distinct.size < 0 ? [] : keys.filter((key) => mayExist(definition.keyOf(key)));',
      },
    ],
  },
  {
    item: 'more than the maximum',
    connector: 'crm-hubspot',
    cases: 'carries no more keys',
    patches: [
      {
        module: 'connectors/kit/batch.ts',
        rule: 'batchesOf(askable, definition.max)',
        without: 'batchesOf(askable, 1e6)',
      },
    ],
  },
  {
    item: '429 with Retry-After',
    connector: 'social-pinterest',
    cases: 'waits out a 429',
    patches: [
      {
        module: 'connectors/kit/caller.ts',
        rule: 'if (!credit.isEnough() || waitMs + LEAST_MS >= left) return null;',
        without: 'if (isAsked || !credit.isEnough() || waitMs + LEAST_MS >= left) return null;',
      },
    ],
  },
  {
    item: '429 without Retry-After',
    connector: 'email-klaviyo',
    cases: 'fails fast on a 429 that names no time',
    patches: [
      {
        module: 'connectors/kit/caller.ts',
        rule: "(error.code === 'UPSTREAM_RATE_LIMITED' ? deps.pauseMs : 0);",
        without: '0;',
      },
    ],
  },
  {
    item: '5xx',
    connector: 'email-klaviyo',
    cases: 'a 503',
    patches: [
      {
        module: 'connectors/kit/response.ts',
        rule: 'if (status === 429 || status >= 500 || status === 408) {',
        without: 'if (status === 429 || status === 408) {',
      },
    ],
  },
  {
    item: 'timeout',
    connector: 'social-pinterest',
    cases: 'ends a call without an answer',
    patches: [
      {
        module: 'connectors/kit/deadline.ts',
        rule: 'timedOut = true;\n    controller.abort();',
        without: 'timedOut = true;',
      },
    ],
  },
  {
    item: 'half a body',
    connector: 'social-pinterest',
    cases: 'half a body',
    patches: [
      {
        module: 'connectors/kit/call-outcome.ts',
        rule: "return upstreamError('UPSTREAM_UNAVAILABLE', { cause: thrown, message: 'The connection failed.' });",
        without: "return upstreamError('UPSTREAM_CONTRACT', { cause: thrown, message: 'The connection failed.' });",
      },
    ],
  },
  {
    item: 'HTML',
    connector: 'crm-hubspot',
    cases: 'never takes HTML',
    patches: [
      {
        module: 'connectors/kit/response.ts',
        rule: 'if (response.body === undefined && !mayBeEmpty) {',
        without: 'if (status === 0) {',
      },
    ],
  },
  {
    item: 'wrong types',
    connector: 'social-pinterest',
    cases: 'passes no wrong type on',
    patches: [
      {
        module: 'connectors/social-pinterest/pins.ts',
        rule: 'has_been_promoted: z.boolean().nullish(),',
        without: 'has_been_promoted: z.any(),',
      },
    ],
  },
  {
    item: '401 refresh once',
    connector: 'marketplace-amazon',
    cases: 'renews a refused token once',
    patches: [
      {
        module: 'connectors/kit/caller.ts',
        rule: 'const mayRenew = number === 1 && credit.isEnough();',
        without: 'const mayRenew = number === 0;',
      },
    ],
  },
  {
    item: 'webhook bad',
    connector: 'crm-hubspot',
    cases: 'refuses what is not signed',
    patches: [
      {
        module: 'connectors/crm-hubspot/webhook.ts',
        rule: "hmacOf(clientSecret, ['POST', url, body, sentAt]);",
        without: "hmacOf(clientSecret, ['POST', url, sentAt]);",
      },
    ],
  },
  {
    item: 'webhook replayed',
    connector: 'pos-square',
    cases: 'a replay changes nothing',
    patches: [
      {
        module: 'connectors/kit/delivery-memory.ts',
        rule: 'return await Promise.resolve(false);',
        without: 'return await Promise.resolve(true);',
      },
    ],
  },
  {
    item: 'feed resume after cursor expiry',
    connector: 'erp-business-central',
    cases: 'goes on after its page token expired',
    patches: [
      {
        module: 'connectors/kit/feed.ts',
        rule: 'mayRestart ? definition.expired : undefined',
        without: 'undefined',
      },
    ],
  },
  {
    item: 'hostile ids',
    connector: 'erp-business-central',
    cases: 'sends a hostile key',
    patches: [
      {
        module: 'connectors/erp-business-central/odata.ts',
        rule: `text.replaceAll("'", "''")`,
        without: 'text',
      },
    ],
  },
  {
    item: 'hostile ids',
    connector: 'marketplace-amazon',
    cases: 'sends hostile texts',
    patches: [
      {
        module: 'connectors/marketplace-amazon/order-steps.ts',
        rule: 'ORDER_ID.test(externalId)',
        without: 'externalId.length > 0',
      },
      {
        module: 'connectors/marketplace-amazon/order-steps.ts',
        rule: "encodeURIComponent(step?.externalId ?? '')",
        without: "step?.externalId ?? ''",
      },
    ],
  },
  {
    item: 'secrets and personal data',
    connector: 'crm-hubspot',
    cases: 'tells no secret and nothing personal',
    patches: [
      {
        module: 'connectors/kit/caller.ts',
        rule: 'elapsedMs, requestId: scope.requestId };',
        without: 'elapsedMs, requestId: JSON.stringify(request.json) };',
      },
    ],
  },
];
