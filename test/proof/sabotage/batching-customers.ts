import { removeRules } from './patch.ts';

// Every key is read on its own.
removeRules({
  module: 'platform/references.ts',
  rule: 'maxBatchSize: maxKeys,',
  without: 'maxBatchSize: 1,',
});
