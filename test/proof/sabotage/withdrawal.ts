import { removeRules } from './patch.ts';

// A withdrawal is answered and never written.
removeRules({
  module: 'domain/consent/service.ts',
  rule: 'await appendEvents(trx, dialect, work.events, at);',
  without: "if (work.decision !== 'WITHDRAW') await appendEvents(trx, dialect, work.events, at);",
});
