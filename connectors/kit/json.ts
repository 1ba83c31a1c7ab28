import { upstreamError } from './failure.ts';

/** Shorter texts cannot hold enough to hurt. */
const EXAMINED_FROM = 16 * 1024;
/** Of one list or object; the vendors' longest pages have 2,000 rows. */
const MOST_IN_ONE = 10_000;
const MOST_IN_ALL = 200_000;
const DEEPEST = 100;

/**
 * JSON of a vendor; undefined when the text is none. A text is counted through before it is parsed: hundreds of thousands
 * of small values, or as many lists in each other, fit into 8 MiB and would keep the process busy for seconds. Cost: 2 ms a MiB.
 * @throws {MortarError} UPSTREAM_CONTRACT when there are too many values
 */
export function parseJson(text: string): unknown {
  if (text === '') return undefined;
  if (text.length >= EXAMINED_FROM && hasTooMany(text)) {
    const message = `The answer has more than ${MOST_IN_ONE} values in one list, ${MOST_IN_ALL} in all, or is nested too deeply.`;
    throw upstreamError('UPSTREAM_CONTRACT', { message });
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

function hasTooMany(text: string): boolean {
  const counts: number[] = [0];
  let depth = 0;
  let all = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) {
      at = endOfText(text, at);
    } else if (char === COMMA) {
      const count = (counts[depth] ?? 0) + 1;
      counts[depth] = count;
      if (count >= MOST_IN_ONE || (all += 1) > MOST_IN_ALL) return true;
    } else if (char === OPEN_LIST || char === OPEN_OBJECT) {
      if ((depth += 1) > DEEPEST || (all += 1) > MOST_IN_ALL) return true;
      counts[depth] = 0;
    } else if (char === CLOSE_LIST || char === CLOSE_OBJECT) {
      depth = Math.max(0, depth - 1);
    }
  }
  return false;
}

/** Where the quoted text that begins at `from` ends. */
function endOfText(text: string, from: number): number {
  let end = text.indexOf('"', from + 1);
  for (; end !== -1; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return end;
  }
  return text.length;
}
