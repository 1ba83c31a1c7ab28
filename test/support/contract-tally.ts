// Counts and judges the exchanges of a connector with its sandbox.
import type { ConformFixtures } from './conform-harness.ts';
import type { CheckedRequest, Oracle } from './oracle.ts';

/** One exchange as it went over the wire. */
export interface JudgedExchange {
  readonly oracle: Oracle;
  readonly request: CheckedRequest;
  readonly body: string;
  readonly status: number;
  /** Decoded; undefined: none. */
  readonly answer: unknown;
}

export interface ContractTally {
  /** What was wrong; empty: nothing. */
  readonly findings: readonly string[];
  /** Requests judged, and answers: each exchange is one of both. */
  readonly exchanges: number;
  /** The first exchange of each operation, by the vendor's name of it. */
  readonly operations: ReadonlyMap<string, JudgedExchange>;
  /** Calls nobody could judge, by the reason. */
  readonly outside: ReadonlyMap<string, number>;
}

interface Exchange {
  readonly request: Request;
  readonly body: string;
  readonly answer: () => Promise<Response>;
}

/** A tally that lets exchanges happen and judges them on the way. */
export function createContractTally({
  oracleOf,
  outsideOf,
}: Pick<ConformFixtures, 'oracleOf' | 'outsideOf'>): ContractTally & {
  readonly judge: (exchange: Exchange) => Promise<Response>;
} {
  const findings: string[] = [];
  const operations = new Map<string, JudgedExchange>();
  const outside = new Map<string, number>();
  let exchanges = 0;
  const judge = async ({ request, body, answer: ask }: Exchange): Promise<Response> => {
    const { pathname } = new URL(request.url);
    const oracle = oracleOf(pathname);
    if (oracle === null) {
      const reason = outsideOf === undefined ? 'no contract here' : outsideOf(pathname);
      if (reason === null) findings.push(`nobody knows ${request.method} ${pathname}`);
      else outside.set(reason, (outside.get(reason) ?? 0) + 1);
      return ask();
    }
    const wire = { method: request.method, url: request.url, headers: Object.fromEntries(request.headers) };
    const operation = oracle.operationOf(wire, body) ?? `unknown ${request.method}`;
    const told = (kind: string) => (line: string) => `${kind} of ${operation}: ${line}`;
    findings.push(...(await oracle.checkRequest(wire, body)).map(told('request')));
    const response = await ask();
    const text = await response.clone().text();
    const answer: unknown = text === '' ? undefined : JSON.parse(text);
    findings.push(...oracle.checkResponse(wire, response.status, answer).map(told('answer')));
    exchanges += 1;
    if (!operations.has(operation))
      operations.set(operation, { oracle, request: wire, body, status: response.status, answer });
    return response;
  };
  return {
    findings,
    get exchanges() {
      return exchanges;
    },
    operations,
    outside,
    judge,
  };
}
