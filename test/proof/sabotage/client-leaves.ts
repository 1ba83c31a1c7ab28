import { removeRules } from './patch.ts';

// A client that left is served to the end.
removeRules({
  module: 'gateway/http/graphql-route.ts',
  rule: 'if (!reply.raw.writableFinished) controller.abort();',
  without: '',
});
