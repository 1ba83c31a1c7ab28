import { z } from 'zod';

// Shapes several Square answers share. Source: Square API 2025-08-20.

export const text = z.string().nullish();

export const squareMoney = z.object({ amount: z.number().nullish(), currency: text }).nullish();

export const squareAddress = z
  .object({
    address_line_1: text,
    address_line_2: text,
    address_line_3: text,
    locality: text,
    administrative_district_level_1: text,
    postal_code: text,
    country: text,
  })
  .nullish();
export type SquareAddress = z.infer<typeof squareAddress>;

export const squareErrors = z.array(z.object({ category: text, code: text })).nullish();

/** Statuses and codes with which Square refuses a cursor: they end after five minutes. */
export function cursorExpired(response: { readonly status: number; readonly body: unknown }): boolean {
  if (response.status !== 400) return false;
  const body = z.object({ errors: squareErrors }).safeParse(response.body);
  return body.success && (body.data.errors ?? []).some((error) => error.code === 'INVALID_CURSOR');
}

/** Square's time ranges include their start: one millisecond later excludes what was seen. */
export function justAfter(instant: string): string {
  return new Date(Date.parse(instant) + 1).toISOString();
}
