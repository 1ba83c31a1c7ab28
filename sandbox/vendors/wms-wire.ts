import { z } from 'zod';
import { Refusal } from './refusal.ts';

export const WMS_API_KEY = 'wms-sandbox-key';

/** What every order-source call carries. */
export const orderSourceCall = z.looseObject({
  transaction_id: z.guid(),
  auth: z.looseObject({ order_source_api_code: z.string(), api_key: z.string().optional() }),
});

/** What every fulfillment-provider call carries. */
export const providerCall = z.looseObject({
  transaction_id: z.guid(),
  auth: z.looseObject({ fulfillment_provider_api_code: z.string().optional(), api_key: z.string().optional() }),
});

/**
 * The body of an authenticated call.
 * @throws {Refusal} 400 validation, 401 external_unauthorized_error
 */
export async function readConnectBody<S extends typeof orderSourceCall | typeof providerCall>(
  request: Request,
  schema: S,
): Promise<z.output<S>> {
  const parsed = schema.safeParse(parseJson(await request.text()));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw connectRefusal(400, 'validation', `${issue?.path.join('.') ?? 'body'}: ${issue?.message ?? 'is invalid'}`);
  }
  const { auth } = parsed.data;
  if (auth.api_key !== WMS_API_KEY)
    throw connectRefusal(401, 'external_unauthorized_error', 'The API key is not valid.');
  return parsed.data as z.output<S>;
}

export function connectError(status: number, code: string, message: string): Response {
  return Response.json({ detailed_errors: [{ standardized_error_code: code, message }] }, { status });
}

export function connectRefusal(status: number, code: string, message: string): Refusal {
  return new Refusal(connectError(status, code, message));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw connectRefusal(400, 'serialization', 'The body is not JSON.');
  }
}
