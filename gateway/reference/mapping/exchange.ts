import { z } from 'zod';

/**
 * An example of what one port of a connector says and hears: `connectors/NAME/fixtures/exchanges/PORT.json`. Recorded from
 * a system without real people; fields the recorded system does not write are added by the vendor's contract.
 */
export const exchange = z.strictObject({
  /** Where the answers come from. */
  source: z.string().min(1),
  /** When they were given, ISO 8601. */
  at: z.iso.datetime(),
  /** Options beside the least configuration: those that name the vendor's fields must stand here to be seen. */
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])).default({}),
  /** Of batch reads: what was asked for. */
  keys: z.array(z.unknown()).default([]),
  /** Of writes: what was to be written. */
  inputs: z.array(z.unknown()).default([]),
  /** In the order they were asked for; a feed's first run. Of writes: by their operations. */
  answers: z.array(z.strictObject({ operation: z.string(), body: z.unknown() })),
  /** Fields the connector would read that this system never writes at these places. */
  never: z.array(z.string()).default([]),
});
export type Exchange = z.infer<typeof exchange>;

/** `orderStepSink` of `pos-square` -> `connectors/pos-square/fixtures/exchanges/order-step-sink.json`. */
export function exchangePath(connector: string, port: string): string {
  return `connectors/${connector}/fixtures/exchanges/${port.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}.json`;
}

/** @throws {Error} naming the file that is missing or wrong */
export function readExchange(path: string, read: (path: string) => string | null): Exchange {
  const text = read(path);
  if (text === null) {
    throw new Error(`${path} is missing: without an example the page cannot tell which vendor field becomes what.`);
  }
  const parsed = exchange.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new Error(`${path} is no exchange: ${places.join('; ')}`);
}
