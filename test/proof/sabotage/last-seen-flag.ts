import { removeRules } from './patch.ts';

// Figures that stand in for a failed read are shown as they were.
removeRules({
  module: 'domain/stock/stock-reader.ts',
  rule: '({ ...reading, provenance: snapshotProvenance(reading.provenance, age) })',
  without: 'reading',
});
