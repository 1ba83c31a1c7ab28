import { GraphQLScalarType, Kind } from 'graphql';

interface TextScalar {
  readonly name: string;
  readonly expected: string;
  /** The canonical text, or null when the text is not a value of the scalar. */
  readonly normalize: (text: string) => string | null;
}

// Messages name the scalar and never repeat the value: it may be personal.
function textScalar({ name, expected, normalize }: TextScalar): GraphQLScalarType<string, string> {
  const convert = (value: unknown): string => {
    const text = typeof value === 'string' ? normalize(value) : null;
    if (text === null) throw new TypeError(`${name} expects ${expected}.`);
    return text;
  };
  return new GraphQLScalarType<string, string>({
    name,
    serialize: convert,
    parseValue: convert,
    parseLiteral: (node) => convert(node.kind === Kind.STRING ? node.value : undefined),
  });
}

const instant =
  /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;
const calendarDate = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;
const decimal = /^-?(0|[1-9]\d{0,30})(\.\d{1,20})?$/;
const sku = /^[\x21-\x7e](?:[\x20-\x7e]{0,62}[\x21-\x7e])?$/;

/** February 30 and its like: the calendar must give the same day back. */
function isRealDay(text: string): boolean {
  const day = new Date(`${text.slice(0, 10)}T00:00:00.000Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().slice(0, 10) === text.slice(0, 10);
}

function normalizeInstant(text: string): string | null {
  if (!instant.test(text) || !isRealDay(text)) return null;
  return new Date(text).toISOString();
}

/**
 * The resolvers of the graph's scalars, strict in both directions: a value that is not one is an error, never coerced.
 * Instants become UTC with milliseconds; decimals keep their exact text.
 */
export const scalarResolvers: Readonly<Record<string, GraphQLScalarType<string, string>>> = {
  DateTime: textScalar({ name: 'DateTime', expected: 'an RFC 3339 instant as text', normalize: normalizeInstant }),
  Date: textScalar({
    name: 'Date',
    expected: 'a calendar date as text, YYYY-MM-DD',
    normalize: (text) => (calendarDate.test(text) && isRealDay(text) ? text : null),
  }),
  Decimal: textScalar({
    name: 'Decimal',
    expected: 'an exact decimal number as text',
    normalize: (text) => (decimal.test(text) ? text : null),
  }),
  Currency: textScalar({
    name: 'Currency',
    expected: 'an ISO 4217 code of three capital letters',
    normalize: (text) => (/^[A-Z]{3}$/.test(text) ? text : null),
  }),
  Sku: textScalar({
    name: 'Sku',
    expected: 'an item code of 1 to 64 visible characters',
    normalize: (text) => (sku.test(text) ? text : null),
  }),
};
