import { removeRules } from './patch.ts';

// A refusal in one record of a person no longer closes the others.
removeRules({
  module: 'domain/consent/fold.ts',
  rule: 'if (against !== null) return { state: against.state, slot: against.slot };',
  without: '',
});
