import { removeRules } from './patch.ts';

// A link by phone number and surname counts like proof.
removeRules({
  module: 'domain/identity/customer-view.ts',
  rule: 'proofs = links.filter(({ a, b, tier }) => PROOF_TIERS.has(tier) && known.has(a) && known.has(b));',
  without: 'proofs = links.filter(({ a, b }) => known.has(a) && known.has(b));',
});
