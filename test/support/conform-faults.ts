// What a vendor does on its bad days, for every kind of port.
import type { Fault } from './conform-harness.ts';

export const json = (text: string, status = 200, headers: Record<string, string> = {}): Response =>
  new Response(text, { status, headers: { 'content-type': 'application/json', ...headers } });

/** No answer. Looks at the signal instead of listening: it may have aborted before, and nothing else keeps a request's signal alive. */
export const hang: Fault = ({ signal }) =>
  new Promise((_resolve, reject) => {
    const look = setInterval(() => {
      if (!signal.aborted) return;
      clearInterval(look);
      reject(new Error('aborted'));
    }, 5);
  });

const cut: Fault = async () =>
  new Response(
    new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode('{"half":')),
      pull: (controller) => controller.error(new Error('cut')),
    }),
  );

export interface Failure {
  readonly name: string;
  readonly fault: Fault;
  readonly code: string;
  /** Calls of a read by key with time enough. */
  readonly calls: number;
  /** A write may be answered with it, and is done then. */
  readonly isSuccessOfWrites?: boolean;
}

const unavailable = { code: 'UPSTREAM_UNAVAILABLE', calls: 2 };
const contract = { code: 'UPSTREAM_CONTRACT', calls: 1 };

/** Answers that are none. */
export const FAILURES: readonly Failure[] = [
  { name: 'a 500', fault: async () => json('{}', 500), ...unavailable },
  { name: 'a 503', fault: async () => json('{}', 503), ...unavailable },
  { name: 'a proxy page', fault: async () => new Response('<html>502</html>', { status: 502 }), ...unavailable },
  { name: 'half a body', fault: cut, ...unavailable },
  { name: 'HTML', fault: async () => new Response('<html>welcome</html>'), ...contract },
  { name: 'cut JSON', fault: async () => json('{"a": [{"id": "1"'), ...contract },
  { name: 'no body', fault: async () => json(''), ...contract, isSuccessOfWrites: true },
  { name: 'a number', fault: async () => json('42'), ...contract, isSuccessOfWrites: true },
  { name: 'a redirect', fault: async () => Response.redirect('http://evil.test/', 302), ...contract },
  { name: 'a 400', fault: async () => json('{}', 400), ...contract },
];

/** 429 answers that leave no time for another try, by what they say of it. */
export const LONG_PAUSES: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['a long time', { 'retry-after': '60' }],
  ['no time', {}],
  ['an unreadable time', { 'retry-after': 'soon' }],
];

/** The first call of a bench gets another answer; the next ones that of the system. */
export function firstOnly(answer: () => Response): Fault {
  return (_request, count, next) => (count === 1 ? Promise.resolve(answer()) : next());
}

/** What the system answers, with a cookie and a header of its own. */
export const withCookie: Fault = async (_request, _count, next) => {
  const answer = await next();
  const text = await answer.text();
  const headers = { 'content-type': 'application/json', 'set-cookie': 'session=vendor-cookie', 'x-evil': '1' };
  return new Response(text === '' ? null : text, { status: answer.status, headers });
};
