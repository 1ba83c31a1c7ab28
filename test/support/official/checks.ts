// What a vendor's official client is let do with the sandbox, and what a check of it is.
import type { Product } from '#test/support/product-client.ts';

export type CheckKind = 'reads' | 'writes' | '429' | 'webhooks';

export interface Check {
  readonly kind: CheckKind;
  /** What holds, in a sentence. */
  readonly name: string;
  /** Whether it does; a rejection: it does not. */
  readonly holds: () => Promise<boolean>;
}

/** The running product with its sandbox, as a client of a vendor sees it. */
export interface Bench {
  readonly product: Product;
  /** Where the sandbox's webhooks go, from now on. */
  readonly deliverTo: (address: string) => Promise<void>;
  /** Deliveries of the sandbox to the product, by system. */
  readonly delivered: () => Promise<
    Readonly<Record<string, { readonly delivered: number; readonly failed: number } | undefined>>
  >;
  /** The next delivery of the sandbox, taken instead of the product. */
  readonly captured: (change: () => Promise<unknown>) => Promise<Captured>;
}

export interface Captured {
  readonly url: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

/** What the product says to a delivery: the status, and the word of an accepted one. */
export async function deliver({ url, headers, body }: Captured): Promise<string> {
  const sent = new Headers({ 'content-type': 'application/json' });
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) sent.set(name, value);
  const answer = await fetch(url, { method: 'POST', headers: sent, body });
  const { status } = (await answer.json()) as { readonly status?: string };
  return `${answer.status}${answer.ok ? ` ${status}` : ''}`;
}

/** The rejection of a promise; null: it was fulfilled. */
export async function rejectionOf(promise: PromiseLike<unknown>): Promise<unknown> {
  return promise.then(
    () => null,
    (reason: unknown) => reason,
  );
}

/** Whether two lists hold the same texts, in any order. */
export function sameTexts(
  left: readonly (string | null | undefined)[],
  right: readonly (string | null | undefined)[],
): boolean {
  return JSON.stringify(left.map(String).toSorted()) === JSON.stringify(right.map(String).toSorted());
}
