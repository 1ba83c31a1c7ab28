import { requestError } from '#gateway/http/request-error.ts';

export interface JsonLimits {
  /** Values in all. @default 20_000, a hundred lists of the 200 keys a list may have */
  readonly values?: number;
}

/** Variables of inputs in inputs; the deepest of ours has 4. */
const MAX_DEPTH = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/**
 * Refuses JSON by its brackets and commas alone, before it is parsed: a mebibyte of brackets takes 80 ms to parse and
 * breaks whoever walks it by recursion, a mebibyte of nulls makes 200,000 findings. Linear, about 4 ms for a mebibyte.
 * Text that is not JSON passes: its parser says so better.
 * @throws {GraphQLError} LIMIT_DEPTH or LIMIT_LIST (whole request)
 */
export function assertJsonLimits(text: string, { values: maxValues = 20_000 }: JsonLimits = {}): void {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    if (character === QUOTE) at = endOfString(text, at);
    else if (character === COMMA) values += 1;
    else if (OPENING.has(character)) {
      depth += 1;
      values += 1;
    } else if (CLOSING.has(character)) depth -= 1;
    if (depth > MAX_DEPTH)
      throw requestError('LIMIT_DEPTH', `The request is nested more than ${MAX_DEPTH} levels deep as JSON.`);
    if (values > maxValues)
      throw requestError('LIMIT_LIST', `The request holds more than ${maxValues} values as JSON.`);
  }
}

/** Position of the closing quote of the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  for (; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    if (character === QUOTE) break;
    if (character === BACKSLASH) at += 1;
  }
  return at;
}
