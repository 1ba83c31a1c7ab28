import { removeRules } from './patch.ts';

// What is missing from a sum, and what was only last seen, is no longer told.
removeRules(
  {
    module: 'domain/stock/availability.ts',
    rule: 'degraded: provenance.degraded || partial',
    without: 'degraded: false',
  },
  {
    module: 'gateway/executor/request-notices.ts',
    rule: '[...sources.values()].map(',
    without: '[...sources.values()].slice(0, 0).map(',
  },
);
