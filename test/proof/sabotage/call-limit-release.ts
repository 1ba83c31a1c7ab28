import { removeRules } from './patch.ts';

// Each call leaves its listener on its caller's signal.
removeRules({
  module: 'connectors/kit/deadline.ts',
  rule: "clearTimeout(timer);\n      caller.removeEventListener('abort', cancel);",
  without: 'clearTimeout(timer);',
});
