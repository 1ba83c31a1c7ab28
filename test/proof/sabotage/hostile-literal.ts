import { removeRules } from './patch.ts';

// A key may end its literal and add a condition of its own.
removeRules({
  module: 'connectors/erp-business-central/odata.ts',
  rule: `text.replaceAll("'", "''")`,
  without: 'text',
});
