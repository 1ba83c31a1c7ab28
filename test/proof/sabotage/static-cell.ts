import { removeRules } from './patch.ts';

// A field no longer keeps to the purposes it may serve: the gateway, the rule engine and the decision all forget.
removeRules(
  {
    module: 'gateway/auth/coordinate-policy.ts',
    rule: 'rule.personalData.purposes.includes(purpose) &&',
    without: '',
  },
  {
    module: 'platform/field-access.ts',
    rule: 'if (request.purpose === null || !field.purposes.includes(request.purpose)) return false;',
    without: 'if (request.purpose === null) return false;',
  },
  {
    module: 'domain/consent/decide.ts',
    rule: "return field.purposes.includes(purpose) ? null : refused('PURPOSE_NOT_ALLOWED');",
    without: 'return null;',
  },
);
