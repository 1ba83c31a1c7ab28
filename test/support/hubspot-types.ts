// The types of HubSpot's official client as a judge: what a value must look like by the client's own declarations.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
/** Where the client keeps what it knows of contacts. */
export const HUBSPOT_CONTACTS = '@hubspot/api-client/lib/codegen/crm/contacts';

interface Attribute {
  readonly baseName: string;
  readonly type: string;
}
interface Model {
  readonly getAttributeTypeMap: () => readonly Attribute[];
}
/** Classes of models, and the words of their enumerations, by name. */
const models = require(`${HUBSPOT_CONTACTS}/models/all.js`) as Readonly<Record<string, Model | object>>;
const required = new Map<string, ReadonlySet<string>>();

/** Fields a model's declaration has without a question mark. */
function requiredOf(name: string): ReadonlySet<string> {
  const known = required.get(name);
  if (known !== undefined) return known;
  const text = readFileSync(require.resolve(`${HUBSPOT_CONTACTS}/models/${name}.d.ts`), 'utf8');
  const found = new Set([...text.matchAll(/^ {4}'(\w+)':/gm)].map(([, field]) => field ?? ''));
  required.set(name, found);
  return found;
}

const PRIMITIVES = new Set(['string', 'number', 'boolean']);
const MAP = /^\{ \[key: string\]: (.+); \}$/;

/** What is wrong with a value that should be of a type of the client's; `type` as its type maps write it. */
export function hubspotFindings(value: unknown, type: string, path = ''): readonly string[] {
  const wrong = [`${path} is no ${type}`];
  if (type.endsWith(' | null')) return value === null ? [] : hubspotFindings(value, type.slice(0, -7), path);
  if (type === 'any') return [];
  if (PRIMITIVES.has(type)) return typeof value === type ? [] : wrong;
  if (type === 'Date') return typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? [] : wrong;
  if (type.startsWith('Array<')) {
    if (!Array.isArray(value)) return wrong;
    return value.flatMap((entry, index) => hubspotFindings(entry, type.slice(6, -1), `${path}/${index}`));
  }
  const inner = MAP.exec(type)?.[1];
  const model = models[type];
  if (model !== undefined && !('getAttributeTypeMap' in model))
    return Object.values(model).includes(value) ? [] : wrong;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrong;
  if (inner !== undefined)
    return Object.entries(value).flatMap(([name, entry]) => hubspotFindings(entry, inner, `${path}/${name}`));
  if (model === undefined) return [`the client knows no ${type}`];
  return modelFindings(value, { type, model, path });
}

function modelFindings(
  value: object,
  { type, model, path }: { readonly type: string; readonly model: Model; readonly path: string },
): readonly string[] {
  const types = new Map(model.getAttributeTypeMap().map((attribute) => [attribute.baseName, attribute.type]));
  const missing = [...requiredOf(type)].filter((name) => !Object.hasOwn(value, name));
  return [
    ...missing.map((name) => `${path}/${name} is missing`),
    ...Object.entries(value).flatMap(([name, entry]) => {
      const wanted = types.get(name);
      return wanted === undefined
        ? [`${path}/${name} is not known`]
        : hubspotFindings(entry, wanted, `${path}/${name}`);
    }),
  ];
}
