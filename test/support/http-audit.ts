import { type AuditResult, serverAudits } from 'graphql-http';

/**
 * What the audits may find, by their id, with the reason it is so. None of them breaks a MUST of GraphQL over HTTP; the
 * audits themselves call them notices (MAY) and warnings (SHOULD).
 */
export const ACCEPTED_FINDINGS: Readonly<Record<string, string>> = {
  '5A70': 'a GET without a preflight header is refused: pages of other origins could send it with somebody’s rights',
  D6D5: 'as 5A70: the audit sends its GET with variables without a preflight header',
  '6A70': 'as D6D5, accepting application/json',
  '572B': 'a document that does not parse is answered 400 also as application/json, so that proxies and clients see it',
  FDE2: 'as 572B, for a document that is not valid',
  '7B9B': 'as 572B, for variables that do not fit',
};

/** One audit that found something. */
export interface AuditFinding {
  readonly id: string;
  readonly status: 'notice' | 'warn' | 'error';
  readonly name: string;
  readonly reason: string;
}

export interface HttpAudit {
  readonly audits: number;
  /** In the order of the audits. */
  readonly findings: readonly AuditFinding[];
}

/**
 * Runs every audit of graphql-http against a running server, one after the other. The audits know no tokens: each of their
 * requests is sent as it is, with the bearer token added and nothing else.
 */
export async function auditHttp(url: string, token: string): Promise<HttpAudit> {
  const withToken = (target: string, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${token}`);
    return fetch(target, { ...init, headers });
  };
  const results: AuditResult[] = [];
  for (const audit of serverAudits({ url, fetchFn: withToken })) {
    // oxlint-disable-next-line no-await-in-loop -- each finding belongs to one request
    results.push(await audit.fn());
  }
  const findings = results.flatMap((result) => {
    if (result.status === 'ok') return [];
    const { id, status, name, reason } = result;
    return [{ id, status, name, reason }];
  });
  return { audits: results.length, findings };
}
