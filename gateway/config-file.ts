import { isMap, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import { z } from 'zod';

import { findBrokenReferences } from './config-references.ts';
import { fileConfig, type FileConfig, gatewayFileConfig } from './config-schema.ts';
import { nearestName } from '#platform/nearest-name.ts';
import { MortarError } from '#platform/errors.ts';

type Path = readonly PropertyKey[];

export interface ConfigText {
  /** For messages. */
  readonly file: string;
  readonly text: string;
  /** Where `${NAME}` in credentials is looked up. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Refuse credentials that are written out instead of referenced. */
  readonly production: boolean;
  /** For a process that only routes: systems are left out, and the secrets they need with them. @default false */
  readonly gatewayOnly?: boolean;
  /** Whether the process calls subgraphs and needs the headers it sends them. @default true */
  readonly routes?: boolean;
}

/**
 * The checked content of a configuration file, credentials resolved. All findings are reported at once, each as
 * `file:line:column`.
 * @throws {MortarError} CONFIGURATION_INVALID
 */
export function parseConfigText(source: ConfigText): FileConfig {
  const { document, place } = readYaml(source);
  const syntax = document.errors.map((error) => `${place(error.pos[0])} ${error.message}`);
  if (syntax.length > 0) throw invalid(syntax);
  const parsed = (source.gatewayOnly === true ? gatewayFileConfig : fileConfig).safeParse(document.toJS());
  if (!parsed.success) throw invalid(parsed.error.issues.flatMap((issue) => describeIssue(issue, document, place)));
  const findings: string[] = [];
  const subgraphs = parsed.data.subgraphs.map(({ headers, ...entry }, index) => {
    if (headers === undefined || source.routes === false) return entry;
    const resolved = resolveCredentials(headers, source, (key, message) =>
      findings.push(`${place(offsetOf(document, ['subgraphs', index, 'headers', key]))} headers.${message}`),
    );
    return { ...entry, headers: resolved };
  });
  if (source.gatewayOnly === true) {
    if (findings.length > 0) throw invalid(findings);
    return { ...parsed.data, subgraphs, systems: [], imports: { consents: [] } };
  }
  const broken = findBrokenReferences(parsed.data);
  findings.push(...broken.map(({ path, message }) => `${place(offsetOf(document, path))} ${message}`));
  const systems = parsed.data.systems.map((system, index) => ({
    ...system,
    credentials: resolveCredentials(system.credentials, source, (key, message) =>
      findings.push(`${place(offsetOf(document, ['systems', index, 'credentials', key]))} credentials.${message}`),
    ),
  }));
  if (findings.length > 0) throw invalid(findings);
  return { ...parsed.data, subgraphs, systems };
}

/** Where the keys of a file stand, as `file:line:column`; the nearest parent's place for a key that is not there. */
export function createLocator(source: Pick<ConfigText, 'file' | 'text'>): (path: Path) => string {
  const { document, place } = readYaml(source);
  return (path) => place(offsetOf(document, path));
}

function readYaml({ file, text }: Pick<ConfigText, 'file' | 'text'>) {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number | undefined): string => {
    const { line, col } = lines.linePos(offset ?? 0);
    return `${file}:${line}:${col}`;
  };
  return { document, place };
}

function invalid(findings: readonly string[]): MortarError {
  return new MortarError('CONFIGURATION_INVALID', { message: findings.join('\n') });
}

function describeIssue(
  issue: z.core.$ZodIssue,
  document: Document,
  place: (offset: number | undefined) => string,
): string[] {
  if (issue.code !== 'unrecognized_keys') {
    const key = issue.path.map(String).join('.') || 'the file';
    const reason = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
    return [`${place(offsetOf(document, issue.path))} ${key}: ${reason}`];
  }
  const known = knownKeys(fileConfig, issue.path);
  return issue.keys.map((key) => {
    const nearest = nearestName(key, known);
    const hint = nearest === null ? `known keys here: ${known.join(', ')}` : `did you mean "${nearest}"?`;
    return `${place(offsetOf(document, [...issue.path, key]))} unknown key "${[...issue.path, key].map(String).join('.')}"; ${hint}`;
  });
}

/** Offset of the key (in maps) or the item (in lists) at `path`, else of its nearest parent. */
function offsetOf(document: Document, path: Path): number | undefined {
  const last = path.at(-1);
  if (last === undefined) return 0;
  const parents = path.slice(0, -1);
  const parent: unknown = parents.length === 0 ? document.contents : document.getIn(parents, true);
  if (isMap(parent)) {
    const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === last);
    if (pair !== undefined && isScalar(pair.key)) return pair.key.range?.[0];
    return parents.length === 0 ? parent.range?.[0] : offsetOf(document, parents);
  }
  const node: unknown = document.getIn(path, true);
  if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range))
    return Number(node.range[0]);
  return offsetOf(document, parents);
}

/** Keys the schema knows at `path`; wrappers (default, optional, prefault) are looked through. */
function knownKeys(schema: z.ZodType, path: Path): string[] {
  const [head, ...rest] = path;
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject) {
    const shape: Record<string, z.ZodType> = inner.shape;
    if (head === undefined) return Object.keys(shape);
    const next = shape[String(head)];
    return next === undefined ? [] : knownKeys(next, rest);
  }
  // An element of zod's own class hierarchy is a ZodType, though its core type does not say so.
  if (inner instanceof z.ZodArray) return knownKeys(inner.element as z.ZodType, rest);
  return [];
}

function unwrap(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) {
    return unwrap(schema.unwrap() as z.ZodType);
  }
  return schema;
}

function resolveCredentials(
  credentials: Readonly<Record<string, string>>,
  source: ConfigText,
  report: (key: string, message: string) => void,
): Record<string, string> {
  const resolve = ([key, text]: [string, string]): [string, string] => {
    if (source.production && !/^\$\{\w+\}$/.test(text)) {
      report(key, `${key} is written out; in production refer to the environment: \${NAME}`);
    }
    const value = text.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => {
      const found = source.variables[name];
      if (found === undefined || found === '') {
        report(key, `${key} needs the environment variable ${name}, which is not set`);
      }
      return found ?? '';
    });
    return [key, value];
  };
  return Object.fromEntries(Object.entries(credentials).map(resolve));
}
