import { removeRules } from './patch.ts';

// A field no longer keeps to the purposes it may serve: the gateway and the decision in the subgraph both forget.
removeRules(
  {
    module: 'gateway/auth/coordinate-policy.ts',
    rule: 'rule.personalData.purposes.includes(purpose) &&',
    without: '',
  },
  {
    module: 'domain/consent/decide.ts',
    rule: "return field.purposes.includes(purpose) ? null : refused('PURPOSE_NOT_ALLOWED');",
    without: 'return null;',
  },
);
