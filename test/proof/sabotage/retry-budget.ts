import { removeRules } from './patch.ts';

// Every failure is tried again, however many there are.
removeRules({
  module: 'connectors/kit/retry-credit.ts',
  rule: 'isEnough: () => credit >= 1,',
  without: 'isEnough: () => true,',
});
