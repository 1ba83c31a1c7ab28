import { randomInt } from 'node:crypto';

/** About as many as 8 MiB of small rows hold; parsing that much takes some 70 ms. */
const MAX_WEIGHT = 1_000_000;
/** Shorter texts cannot hold anybody up, and most answers are. */
const UNWEIGHED_CHARACTERS = 64 * 1024;
/** What parsing costs beside a plain value, measured: an object or a list, and a key that was not seen before after the same keys. */
const OPENING = 2;
const NEW_KEY = 10;
/** Keys after keys are told apart by so many bits of a hash; answers have a few hundred. */
const KEY_BITS = 17;
/** Of the FNV-1a hash. */
const PRIME = 0x01000193;
/** Where each hash begins: whoever knew it could write any number of keys that look like one. */
const SEED = randomInt(2 ** 31);

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const LIST = 0x5b;
const OBJECT = 0x7b;
const OBJECT_END = 0x7d;

/**
 * Whether a text is cheap enough to be parsed as JSON: 8 MiB of brackets or of ever new keys would hold the event loop for
 * a second, of rows for a twentieth of that. Linear: about 1 ms for 200 kB. Text that is no JSON passes; its parser says so.
 * @param seed default another one in each process
 */
export function isCheapToParse(text: string, seed: number = SEED): boolean {
  if (text.length <= UNWEIGHED_CHARACTERS) return true;
  const seen = new Uint8Array(2 ** KEY_BITS);
  // A hash of the keys so far, for each object that is open.
  const outer: number[] = [];
  let keys = seed;
  let weight = 0;
  // The string before the place looked at; a colon makes it a key.
  let from = -1;
  let end = -1;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    if (character === COMMA) weight += 1;
    else if (character === QUOTE) {
      from = at + 1;
      at = end = endOfString(text, from);
    } else if (character === COLON) {
      // Its end counts too: what is hashed is the text of all keys, each with its quote.
      for (; from <= end; from += 1) keys = Math.imul(keys ^ text.charCodeAt(from), PRIME);
      const slot = (keys ^ (keys >>> 15)) & (2 ** KEY_BITS - 1);
      if (seen[slot] === 0) weight += NEW_KEY;
      seen[slot] = 1;
    } else if (character === LIST) weight += 1 + OPENING;
    else if (character === OBJECT) {
      weight += 1 + OPENING;
      outer.push(keys);
      keys = seed;
    } else if (character === OBJECT_END) keys = outer.pop() ?? seed;
    if (weight > MAX_WEIGHT) return false;
  }
  return true;
}

/** Where the quote is that ends a string. */
function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at !== -1; at = text.indexOf('"', at + 1)) {
    let escapes = at;
    while (escapes > from && text.charCodeAt(escapes - 1) === BACKSLASH) escapes -= 1;
    if ((at - escapes) % 2 === 0) return at;
  }
  return text.length;
}
