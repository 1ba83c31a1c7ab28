// One suite for every connector: what a retailer may rely on whatever the vendor does. A connector ships only green.
import { describe } from 'vitest';

import type { ConnectorDefinition } from '#connectors/kit/definition.ts';

import { conformBatch } from './conform-batch.ts';
import { conformFeed } from './conform-feed.ts';
import type { ConformFixtures } from './conform-harness.ts';
import { conformLocations } from './conform-locations.ts';
import { conformValidity } from './conform-validity.ts';
import { conformWebhook } from './conform-webhook.ts';
import { conformWrite } from './conform-write.ts';

/**
 * Declares the suite for a connector. `open` is called once, before the first test.
 * @example conformConnector(crmHubspot, async () => ({ credentials, options, answer, oracleOf: () => null, keys }));
 */
export function conformConnector<S>(definition: ConnectorDefinition<S>, open: () => Promise<ConformFixtures>): void {
  let opened: Promise<ConformFixtures> | null = null;
  const fixtures = (): Promise<ConformFixtures> => (opened ??= open());
  const ports = Object.entries(definition.ports) as [string, object][];

  describe(`${definition.id} conforms`, () => {
    conformValidity(definition, fixtures);
    if (definition.webhook !== undefined) conformWebhook(definition, fixtures);
    for (const [name, port] of ports) {
      if ('idempotency' in port) conformWrite({ definition, name, fixtures });
      else if ('max' in port) conformBatch({ definition, name, fixtures });
      else if ('feed' in port) conformFeed({ definition, name, fixtures });
      else conformLocations(definition, fixtures);
    }
  });
}
