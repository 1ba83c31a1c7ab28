/** Why an item of a system stands for no product; it is then listed, never guessed. */
type UnmatchedReason = 'NO_CODE' | 'UNKNOWN_CODE' | 'AMBIGUOUS_CODE' | 'AMBIGUOUS_GTIN' | 'CONFLICTING_GTIN';

export type ItemMatch =
  | { readonly sku: string; readonly rule: 'EXACT_CODE' | 'NORMALIZED_CODE' | 'GTIN' }
  | { readonly sku: null; readonly reason: UnmatchedReason };

/** What an item says of itself; `keys` are its normalized codes, `gtin` is normalized. */
export interface ItemIdentity {
  readonly code: string | null;
  readonly keys: readonly string[];
  readonly gtin: string | null;
}

/** A product an item may stand for. */
export interface MatchCandidate {
  readonly sku: string;
  readonly skuKey: string;
  readonly gtin: string | null;
}

/** The form in which codes are compared when they are not equal as written: trimmed, case-folded. */
export function toCodeKey(code: string): string {
  return code.trim().toUpperCase();
}

/** 14 digits, or null when the text is no GTIN (8 to 14 digits; spaces and hyphens are skipped). */
export function normalizeGtin(text: string | null): string | null {
  const digits = (text ?? '').replaceAll(/[\s-]/g, '');
  return /^\d{8,14}$/.test(digits) && !/^0+$/.test(digits) ? digits.padStart(14, '0') : null;
}

/**
 * An item's identity as the rules compare it.
 * @param prefixes texts this system puts before the retailer's codes; compared without regard to case
 */
export function identifyItem(code: string | null, gtin: string | null, prefixes: readonly string[]): ItemIdentity {
  const key = toCodeKey(code ?? '');
  if (key === '') return { code: null, keys: [], gtin: normalizeGtin(gtin) };
  const stripped = prefixes
    .map(toCodeKey)
    .filter((prefix) => prefix !== '' && key.startsWith(prefix) && key.length > prefix.length)
    .map((prefix) => toCodeKey(key.slice(prefix.length)));
  return { code, keys: [...new Set([key, ...stripped])], gtin: normalizeGtin(gtin) };
}

/**
 * The product an item stands for: the exact code; else the one product whose code is equal after normalization, unless
 * the GTIN names another; else the one product with its GTIN. Anything ambiguous is no match.
 * @param candidates every product whose code, normalized code or GTIN the item carries; others are ignored
 */
export function matchItem(item: ItemIdentity, candidates: readonly MatchCandidate[]): ItemMatch {
  const exact = candidates.find((candidate) => candidate.sku === item.code);
  if (exact !== undefined) return { sku: exact.sku, rule: 'EXACT_CODE' };
  const byCode = candidates.filter((candidate) => item.keys.includes(candidate.skuKey));
  const byGtin = item.gtin === null ? [] : candidates.filter((candidate) => candidate.gtin === item.gtin);
  const onlyByCode = byCode.length === 1 ? byCode[0] : undefined;
  const onlyByGtin = byGtin.length === 1 ? byGtin[0] : undefined;
  if (onlyByCode !== undefined) {
    return onlyByGtin === undefined || onlyByGtin.sku === onlyByCode.sku
      ? { sku: onlyByCode.sku, rule: 'NORMALIZED_CODE' }
      : { sku: null, reason: 'CONFLICTING_GTIN' };
  }
  if (onlyByGtin !== undefined) return { sku: onlyByGtin.sku, rule: 'GTIN' };
  if (byCode.length > 1) return { sku: null, reason: 'AMBIGUOUS_CODE' };
  if (byGtin.length > 1) return { sku: null, reason: 'AMBIGUOUS_GTIN' };
  return { sku: null, reason: item.code === null ? 'NO_CODE' : 'UNKNOWN_CODE' };
}
