import { removeRules } from './patch.ts';

// Every category is decided by the decision for all media.
removeRules({
  module: 'domain/consent/decide.ts',
  rule: 'return medium !== null && media.includes(medium) ? [medium] : media;',
  without: 'return [EVERY_MEDIUM];',
});
