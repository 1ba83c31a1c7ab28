/** About as many as 8 MiB of small rows hold; parsing that much takes some 70 ms. */
const MAX_WEIGHT = 1_000_000;
/** Shorter texts cannot hold anybody up, and most answers are. */
const UNWEIGHED_CHARACTERS = 64 * 1024;
/** What parsing costs beside a plain value, measured: an object or a list, and a key that was not seen before. */
const OPENING = 2;
const NEW_KEY = 10;
/** Keys are told apart by so many bits of a hash; answers have a few hundred. */
const KEY_BITS = 17;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const LIST = 0x5b;
const OBJECT = 0x7b;

/**
 * Whether a text is cheap enough to be parsed as JSON: 8 MiB of brackets or of ever new keys would hold the event loop for
 * a second, of rows for a twentieth of that. Linear: about 1 ms for 100 kB. Text that is no JSON passes; its parser says so.
 */
export function isCheapToParse(text: string): boolean {
  if (text.length <= UNWEIGHED_CHARACTERS) return true;
  const seen = new Uint8Array(2 ** KEY_BITS);
  let weight = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    if (character === COMMA) weight += 1;
    else if (character === LIST || character === OBJECT) weight += 1 + OPENING;
    else if (character === QUOTE) {
      let hash = 0;
      for (at += 1; at < text.length; at += 1) {
        const inside = text.charCodeAt(at);
        if (inside === QUOTE) break;
        if (inside === BACKSLASH) at += 1;
        hash = Math.imul(hash ^ inside, 0x01000193);
      }
      if (text.charCodeAt(at + 1) !== COLON) continue;
      const slot = (hash ^ (hash >>> 15)) & (2 ** KEY_BITS - 1);
      if (seen[slot] === 0) weight += NEW_KEY;
      seen[slot] = 1;
    }
    if (weight > MAX_WEIGHT) return false;
  }
  return true;
}
