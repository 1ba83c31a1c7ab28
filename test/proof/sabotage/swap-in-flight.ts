import { removeRules } from './patch.ts';

// A swap breaks off what runs at a subgraph that the new supergraph has elsewhere.
removeRules(
  {
    module: 'gateway/executor/remote/exchange.ts',
    rule: 'pool.close().catch(',
    without: 'pool.destroy().catch(',
  },
  {
    module: 'gateway/executor/remote/exchange.ts',
    rule: '!wanted.has(name) && !isUsed(origin)',
    without: '!wanted.has(name)',
  },
);
