// Exchanges led astray: what an oracle must find wrong, made from what it found right.
import type { JudgedExchange } from './contract-tally.ts';

const METHODS = ['DELETE', 'PUT', 'PATCH', 'GET', 'POST'];

export interface Stray {
  readonly name: string;
  /** What the oracle says of it; empty: it was not noticed. */
  readonly findings: readonly string[];
}

/** The exchange as another operation, with a body of another shape, answered with another status and another shape. */
export async function strayFrom({ oracle, request, body, status, answer }: JudgedExchange): Promise<readonly Stray[]> {
  const url = new URL(request.url);
  url.pathname = `/no-such-part${url.pathname}`;
  const elsewhere = { ...request, url: url.href };
  const method = METHODS.find((name) => oracle.operationOf({ ...request, method: name }, body) === null);
  const strays: Stray[] = [
    { name: 'another path', findings: await oracle.checkRequest(elsewhere, body) },
    { name: 'an answer from another path', findings: oracle.checkResponse(elsewhere, status, answer) },
    { name: 'another status', findings: oracle.checkResponse(request, 299, answer) },
  ];
  if (method !== undefined)
    strays.push({ name: 'another method', findings: await oracle.checkRequest({ ...request, method }, body) });
  if (body !== '') strays.push({ name: 'another body', findings: await oracle.checkRequest(request, '[7]') });
  if (answer !== undefined)
    strays.push({ name: 'another answer', findings: oracle.checkResponse(request, status, [7]) });
  return strays;
}
