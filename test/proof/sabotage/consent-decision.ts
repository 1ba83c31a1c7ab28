import { removeRules } from './patch.ts';

// Whoever the table lets ask gets the value, whatever the person said.
removeRules({
  module: 'domain/consent/decide.ts',
  rule: "if (facts === null || facts.asked.length === 0 || purpose === null) return refused('CONSENT_REQUIRED');",
  without: 'if (facts !== null && purpose !== null) return ALLOWED;',
});
