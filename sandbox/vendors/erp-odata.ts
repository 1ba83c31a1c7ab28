// The small part of OData 4 that Business Central's list operations use.

/** A condition of a $filter. */
export interface OdataCondition {
  readonly field: string;
  readonly operator: 'eq' | 'ne' | 'gt' | 'ge' | 'lt' | 'le';
  readonly value: string;
}

/** A $filter: any of the groups whose conditions all hold. */
export type OdataFilter = readonly (readonly OdataCondition[])[];

export type OdataRow = Readonly<Record<string, unknown>>;

/** A field as a filter compares it; objects and lists cannot be compared. */
function comparable(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

/** Thrown for what Business Central answers with 400 BadRequest. */
export class OdataError extends Error {}

const CONDITION =
  /\s*(?<field>[A-Za-z]\w*)\s+(?<operator>eq|ne|gt|ge|lt|le)\s+(?:'(?<text>(?:[^']|'')*)'|(?<bare>[\w.:+-]+))\s*/y;
const JOINER = /(?:and|or)\b/y;
const MAX_CONDITIONS = 200;

/**
 * @param fields - the fields that may be filtered by
 * @throws {OdataError} for an unknown field or anything that is no list of comparisons joined by `and` and `or`
 */
export function parseFilter(text: string, fields: ReadonlySet<string>): OdataFilter {
  const groups: OdataCondition[][] = [[]];
  let position = 0;
  for (let count = 0; position < text.length; count += 1) {
    if (count >= MAX_CONDITIONS) throw new OdataError('The $filter expression has too many conditions.');
    CONDITION.lastIndex = position;
    const found = CONDITION.exec(text)?.groups;
    if (found === undefined) throw new OdataError(`Syntax error at position ${position} in '$filter'.`);
    const field = found['field'] ?? '';
    if (!fields.has(field)) throw new OdataError(`Could not find a property named '${field}'.`);
    const value = found['text']?.replaceAll("''", "'") ?? found['bare'] ?? '';
    // The expression admits these six words only.
    groups.at(-1)?.push({ field, operator: found['operator'] as OdataCondition['operator'], value });
    position = joinAt(text, CONDITION.lastIndex, groups);
  }
  return groups;
}

function joinAt(text: string, position: number, groups: OdataCondition[][]): number {
  if (position >= text.length) return position;
  JOINER.lastIndex = position;
  const joiner = JOINER.exec(text)?.[0];
  if (joiner === undefined) throw new OdataError(`Syntax error at position ${position} in '$filter'.`);
  if (joiner === 'or') groups.push([]);
  if (JOINER.lastIndex >= text.length) throw new OdataError(`Syntax error at position ${position} in '$filter'.`);
  return JOINER.lastIndex;
}

export function fitsFilter(row: OdataRow, filter: OdataFilter): boolean {
  return filter.some((group) => group.every((condition) => fits(row, condition)));
}

/** The values a filter asks `field` to equal when it is nothing but a list of them (or of `other`); null otherwise. */
export function keysOfFilter(filter: OdataFilter, fields: readonly string[]): readonly OdataCondition[] | null {
  const conditions = filter.flat();
  const simple = filter.every((group) => group.length === 1);
  const equal = conditions.every(({ field, operator }) => operator === 'eq' && fields.includes(field));
  return simple && equal ? conditions : null;
}

function fits(row: OdataRow, { field, operator, value }: OdataCondition): boolean {
  const held = row[field];
  const order = field.endsWith('DateTime')
    ? Date.parse(comparable(held)) - Date.parse(value)
    : compare(comparable(held), value);
  switch (operator) {
    case 'eq':
      return order === 0;
    case 'ne':
      return order !== 0;
    case 'gt':
      return order > 0;
    case 'ge':
      return order >= 0;
    case 'lt':
      return order < 0;
    case 'le':
      return order <= 0;
  }
}

/** Business Central compares codes and GUIDs without regard to case. */
function compare(a: string, b: string): number {
  const left = a.toUpperCase();
  const right = b.toUpperCase();
  return left < right ? -1 : Number(left > right);
}
