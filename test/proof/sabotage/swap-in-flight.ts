import { removeRules } from './patch.ts';

// A swap breaks off what runs at a subgraph that the new supergraph has elsewhere.
removeRules(
  {
    module: 'gateway/executor/remote/exchange.ts',
    rule: 'dispose: ({ pool }) => void pool.close()',
    without: 'dispose: ({ pool }) => void pool.destroy()',
  },
  {
    module: 'gateway/executor/remote/exchange.ts',
    rule: '!wanted.has(name) && !isUsed(origin)',
    without: '!wanted.has(name)',
  },
);
