import { removeRules } from './patch.ts';

// A swap breaks off what runs at a subgraph that the new supergraph has elsewhere.
removeRules(
  {
    module: 'gateway/executor/remote/exchange.ts',
    rule: 'dispose: (pool) => void pool.close(),',
    without: 'dispose: (pool) => void pool.destroy(),',
  },
  {
    module: 'gateway/executor/remote/exchange.ts',
    rule: '!origins.has(origin) && !running.has(origin)',
    without: '!origins.has(origin)',
  },
);
