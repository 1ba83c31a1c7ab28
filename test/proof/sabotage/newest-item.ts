import { removeRules } from './patch.ts';

// Items are written as they come.
removeRules({
  module: 'domain/catalog/item-versions.ts',
  rule: 'if (known !== undefined && isOlder(version, known)) return false;',
  without: '',
});
