import { removeRules } from './patch.ts';

// The parser's message, which repeats what it read, goes to the log.
removeRules({
  module: 'gateway/executor/remote/read-result.ts',
  rule: "throw new Error('the answer is not JSON');",
  without: 'throw new Error(`the answer is not JSON: ${text}`);',
});
