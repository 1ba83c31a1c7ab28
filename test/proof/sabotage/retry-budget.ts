import { removeRules } from './patch.ts';

// Every failure is tried again, however many there are.
removeRules({
  module: 'connectors/kit/caller.ts',
  rule: '|| retryCredit < 1) return null;',
  without: ') return null;',
});
