import { removeRules } from './patch.ts';

// A request says a word that is not in its vendor's list.
removeRules({
  module: 'connectors/marketplace-amazon/stock.ts',
  rule: "granularityType: 'Marketplace',",
  without: "granularityType: 'Planet',",
});
