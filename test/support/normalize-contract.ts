/** Any JSON value of a contract document. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type JsonObject = { [key: string]: Json };

const SCHEMA_MAPS = new Set(['properties', 'patternProperties', 'definitions', 'schemas']);
const COMPOSITIONS = ['allOf', 'oneOf', 'anyOf'];
const BOUNDS = [
  ['exclusiveMinimum', 'minimum'],
  ['exclusiveMaximum', 'maximum'],
] as const;

const OTHER_JSON = /^application\/[\w.-]+\+json$/;

/**
 * A copy of a vendor's OpenAPI 3.0 document whose schemas Ajv can compile: null subschemas become "anything",
 * `nullable` without a type becomes a choice with null, draft-4 exclusive bounds become numbers, doubled enum values go. Every
 * kind of JSON becomes `application/json`: openapi-backend looks at the schema of no other.
 *
 * @param closed - also refuse undeclared fields in every plain object schema, so that a misspelled optional field shows
 */
export function normalizeContract(document: Json, closed = false): Json {
  const copy = structuredClone(document);
  loosenChoices(copy, copy);
  visit(copy, false, closed);
  return copy;
}

function visit(node: Json, inMap: boolean, closed: boolean): void {
  if (Array.isArray(node)) {
    for (const item of node) visit(item, false, closed);
    return;
  }
  if (node === null || typeof node !== 'object') return;
  for (const key of Object.keys(node)) visitKey(node, key, inMap, closed);
  if (inMap) return;
  numericBounds(node);
  openComposed(node);
  if (closed) close(node);
  nullableChoice(node);
  plainJson(node);
}

function plainJson({ content }: JsonObject): void {
  if (content === null || typeof content !== 'object' || Array.isArray(content)) return;
  const other = Object.keys(content).find((type) => OTHER_JSON.test(type));
  if (other !== undefined && !('application/json' in content)) content['application/json'] = content[other] ?? null;
}

function visitKey(node: JsonObject, key: string, inMap: boolean, closed: boolean): void {
  const value = node[key] as Json;
  if (!inMap && (key === 'example' || key === 'examples' || key.startsWith('x-'))) {
    delete node[key];
    return;
  }
  if (value === null) {
    if (inMap || key === 'items' || key === 'additionalProperties') node[key] = {};
    return;
  }
  if (!inMap && Array.isArray(value)) {
    if (COMPOSITIONS.includes(key)) node[key] = value.filter((item) => item !== null && typeof item === 'object');
    if (key === 'enum') node[key] = [...new Set(value)];
  }
  // A composed object's fields are spread over its parts: closing one part would refuse the fields of another.
  visit(node[key] as Json, SCHEMA_MAPS.has(key) && !inMap, closed && !(COMPOSITIONS.includes(key) && !inMap));
}

function numericBounds(node: JsonObject): void {
  for (const [exclusive, plain] of BOUNDS) {
    if (node[exclusive] === false) delete node[exclusive];
    if (node[exclusive] !== true) continue;
    const bound = node[plain];
    delete node[plain];
    if (bound === undefined) delete node[exclusive];
    else node[exclusive] = bound;
  }
}

/** A choice among objects that all fit any object can never be of exactly one: the vendor means "at least one". */
function loosenChoices(node: Json, document: Json): void {
  if (node === null || typeof node !== 'object') return;
  for (const child of Object.values(node)) loosenChoices(child, document);
  if (Array.isArray(node) || !Array.isArray(node.oneOf) || node.oneOf.length < 2) return;
  if (!node.oneOf.every((choice) => fitsAnyObject(choice, document))) return;
  node.anyOf = node.oneOf;
  delete node.oneOf;
}

function fitsAnyObject(choice: Json, document: Json): boolean {
  const schema = resolve(choice, document);
  if (schema === null || typeof schema !== 'object' || Array.isArray(schema)) return false;
  if (Array.isArray(schema.allOf) && !('properties' in schema)) {
    return schema.allOf.every((part) => fitsAnyObject(part, document));
  }
  return (
    schema.type === 'object' && 'properties' in schema && !('required' in schema) && !('additionalProperties' in schema)
  );
}

function resolve(schema: Json, document: Json): Json | undefined {
  if (schema === null || typeof schema !== 'object' || Array.isArray(schema)) return schema;
  const name =
    typeof schema.$ref === 'string' ? /^#\/components\/schemas\/([\w.-]+)$/.exec(schema.$ref)?.[1] : undefined;
  if (name === undefined) return schema;
  return (document as { components?: { schemas?: JsonObject } }).components?.schemas?.[name];
}

/** Closed beside its parts and without properties of its own, an object could have no field at all: the vendor means the parts. */
function openComposed(node: JsonObject): void {
  const composed = COMPOSITIONS.some((key) => key in node);
  if (node.additionalProperties === false && composed && !('properties' in node)) delete node.additionalProperties;
}

function close(node: JsonObject): void {
  const composed = COMPOSITIONS.some((key) => key in node);
  if (node.type === 'object' && 'properties' in node && !('additionalProperties' in node) && !composed) {
    node.additionalProperties = false;
  }
}

function nullableChoice(node: JsonObject): void {
  if (node.nullable !== true || node.type !== undefined) return;
  delete node.nullable;
  if (!['$ref', 'enum', ...COMPOSITIONS].some((key) => key in node)) return;
  const inner = { ...node };
  for (const key of Object.keys(node)) delete node[key];
  node.anyOf = [inner, { type: 'string', nullable: true, enum: [null] }];
}
