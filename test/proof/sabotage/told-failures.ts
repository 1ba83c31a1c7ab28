import { removeRules } from './patch.ts';

// What is missing because a system failed, and what was only last seen, is no longer told: neither by errors nor by flags.
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
  {
    module: 'gateway/executor/governed-gateway.ts',
    rule: 'const errors = groupErrors([...answer.errors, ',
    without: 'const errors = groupErrors([...answer.errors.slice(0, 0), ',
  },
);
