import { removeRules } from './patch.ts';

// Every row has a decision read of its own.
removeRules({
  module: 'domain/consent/deciders.ts',
  rule: '{ maxBatchSize: MAX_SUBJECTS_PER_READ }',
  without: '{ maxBatchSize: 1 }',
});
