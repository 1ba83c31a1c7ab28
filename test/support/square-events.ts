// Square's events by its official client: the contract of its webhooks is not part of the stored one.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

interface Schema {
  readonly parse: (
    value: unknown,
    options: object,
  ) =>
    | { readonly ok: true }
    | {
        readonly ok: false;
        readonly errors: readonly { readonly path: readonly string[]; readonly message: string }[];
      };
}
/** The package exports no path to them. */
const schemas = require(join(dirname(require.resolve('square')), 'serialization/index.js')) as Readonly<
  Record<string, Schema | undefined>
>;

/** What is wrong with an event's body by the client's own type of it; empty: nothing. An event it does not know is wrong. */
export function squareEventFindings(event: unknown): readonly string[] {
  const type = typeof event === 'object' && event !== null && 'type' in event ? String(event.type) : '';
  const name = type
    .split(/[._]/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
  const schema = schemas[`${name}Event`];
  if (type === '' || schema === undefined) return [`the client knows no event ${type}`];
  const read = schema.parse(event, { unrecognizedObjectKeys: 'fail', unrecognizedEnumValues: 'fail' });
  return read.ok ? [] : read.errors.map(({ path, message }) => `${path.join('.')}: ${message}`);
}
