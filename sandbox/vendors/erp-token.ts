import { randomBytes } from 'node:crypto';

export const ERP_CREDENTIALS = { clientId: 'mortar-sandbox', clientSecret: 'erp-sandbox-secret' } as const;

const LIFETIME_SECONDS = 3_599;
const MAX_TOKENS = 1_000;

/** The tokens of one ERP fake: Entra ID's client credentials grant. */
export interface ErpTokens {
  /** The token endpoint. */
  readonly issue: (request: Request, nowMs: number) => Promise<Response>;
  readonly isValid: (request: Request, nowMs: number) => boolean;
}

export function createErpTokens(): ErpTokens {
  const expiries = new Map<string, number>();
  return {
    issue: async (request, nowMs) => {
      const form = new URLSearchParams(await request.text());
      if (form.get('grant_type') !== 'client_credentials') {
        return refusal(400, 'unsupported_grant_type', 'AADSTS70003: The app requested an unsupported grant type.');
      }
      if (
        form.get('client_id') !== ERP_CREDENTIALS.clientId ||
        form.get('client_secret') !== ERP_CREDENTIALS.clientSecret
      ) {
        return refusal(401, 'invalid_client', 'AADSTS7000215: Invalid client secret provided.');
      }
      if (expiries.size >= MAX_TOKENS) expiries.clear();
      const token = randomBytes(24).toString('base64url');
      expiries.set(token, nowMs + LIFETIME_SECONDS * 1_000);
      return Response.json({ token_type: 'Bearer', expires_in: LIFETIME_SECONDS, access_token: token });
    },
    isValid: (request, nowMs) => {
      const [scheme, token = ''] = (request.headers.get('authorization') ?? '').split(' ');
      return scheme?.toLowerCase() === 'bearer' && (expiries.get(token) ?? 0) > nowMs;
    },
  };
}

function refusal(status: number, error: string, description: string): Response {
  return Response.json({ error, error_description: description }, { status });
}
