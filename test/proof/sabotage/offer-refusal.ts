import { removeRules } from './patch.ts';

// An offer that Amazon refused is taken for published.
removeRules({
  module: 'connectors/marketplace-amazon/offers.ts',
  rule: 'if (status.statusCode !== 200 || problem !== undefined) {',
  without: 'if (status.statusCode === 0) {',
});
