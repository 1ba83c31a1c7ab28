import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { CONNECTOR_NAMES } from '#gateway/connector-names.ts';
import type { ProjectFiles } from '#gateway/project-files.ts';
import { nearestName } from '#platform/nearest-name.ts';
import { type CommandReport, failed, succeeded } from './report.ts';

/** What a connected system is to a retailer; the first word of a connector's name. */
const KINDS = [
  'erp',
  'wms',
  'pos',
  'crm',
  'marketplace',
  'storefront',
  'loyalty',
  'carrier',
  'email',
  'social',
] as const;

/** The template is real code with tests of its own: what is written has passed them. */
const TEMPLATE = 'test/templates/connector';

export interface NewConnectorOptions {
  /** `KIND-VENDOR`, for example `erp-acme`. */
  readonly name: string;
  readonly files: ProjectFiles;
  /** Formats what was written and writes the generated pages; false: it could not. @default processes of the project's own tools */
  readonly finish?: (paths: readonly string[]) => boolean;
}

/**
 * Writes a connector, a fake of its system and a contract test, and registers the connector. All or nothing: a name that is
 * taken, or a project that looks different, changes no file.
 */
export function runConnectorNew({ name, files, finish = finishApart }: NewConnectorOptions): CommandReport {
  const refusal = refuse(name, files);
  if (refusal !== null) return failed(refusal);
  const renamed = new Map<string, string>();
  for (const [source, target] of targetsOf(name)) {
    const text = files.read(`${TEMPLATE}/${source}`);
    if (text === null) return failed(`${TEMPLATE}/${source} is missing: restore the project's files.`);
    renamed.set(target, rename(text, name));
  }
  const registered = register(name, files);
  if (typeof registered === 'string') return failed(registered);
  for (const [path, text] of [...renamed, ...registered]) files.write(path, text);
  const paths = [...renamed.keys(), ...registered.keys()];
  const unfinished = finish(paths)
    ? []
    : ['Run npm run format and npm run mortar -- docs: neither could be run from here.'];
  return succeeded(
    ...[...renamed.keys()].map((path) => `${path} written`),
    ...[...registered.keys()].map((path) => `${path} changed`),
    ...unfinished,
    '',
    `Check and tests pass as written: npm run check && npx vitest run connectors/${name}`,
    'Next:',
    `  1. Put recorded answers of the vendor (without personal data) into sandbox/vendors/${name}.ts,`,
    `     and one example a port into connectors/${name}/fixtures/exchanges: its page tells from them which field becomes what.`,
    `  2. Change the row and decodeItem in connectors/${name}/connector.ts until its contract test is green.`,
    '  3. Add the ports of your kind of system: connectors/README.md shows where each is done already.',
    `  4. Add keywords of ${name} to connectors/README.md, a row to docs/configuration.md, and run npm run mortar -- docs.`,
    `  5. Put connector: ${name} into mortar.config.yaml and run npm run mortar -- doctor.`,
  );
}

function refuse(name: string, files: ProjectFiles): string | null {
  const [kind = '', ...vendor] = name.split('-');
  if (!/^[a-z]+(-[a-z][a-z0-9]*)+$/.test(name) || name.length > 40) {
    return `"${name}" is no name of a connector: KIND-VENDOR in small letters and digits, at most 40, for example erp-acme.`;
  }
  if (!KINDS.some((known) => known === kind)) {
    const nearest = nearestName(kind, KINDS);
    const hint = nearest === null ? '' : ` Did you mean "${[nearest, ...vendor].join('-')}"?`;
    return `"${kind}" is no kind of system: one of ${KINDS.join(', ')}.${hint}`;
  }
  const taken = targetsOf(name).find(([, target]) => files.read(target) !== null);
  if (taken === undefined && !CONNECTOR_NAMES.some((known) => known === name)) return null;
  return `${name} exists already: see connectors/${name}. Choose another name.`;
}

function targetsOf(name: string): readonly (readonly [source: string, target: string])[] {
  return [
    ['connector.ts', `connectors/${name}/connector.ts`],
    ['connector.contract.test.ts', `connectors/${name}/${name}.contract.test.ts`],
    ['README.md', `connectors/${name}/README.md`],
    ['exchanges/items.json', `connectors/${name}/fixtures/exchanges/items.json`],
    ['exchanges/item-feed.json', `connectors/${name}/fixtures/exchanges/item-feed.json`],
    ['sandbox.ts', `sandbox/vendors/${name}.ts`],
  ];
}

function rename(text: string, name: string): string {
  const pascal = pascalOf(name.slice(name.indexOf('-') + 1));
  return text
    .replaceAll('#test/templates/connector/sandbox.ts', `#sandbox/vendors/${name}.ts`)
    .replaceAll('erp-template', name)
    .replaceAll('erpTemplate', camelOf(name))
    .replaceAll('createTemplateVendor', `create${pascalOf(name)}Vendor`)
    .replaceAll('Template', pascal)
    .replaceAll('sandbox-template-token', `sandbox-${name}-token`)
    .replaceAll("'template'", `'${name.slice(name.indexOf('-') + 1)}'`);
}

function pascalOf(name: string): string {
  return name
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}

function camelOf(name: string): string {
  const pascal = pascalOf(name);
  return pascal.charAt(0).toLowerCase() + pascal.slice(1);
}

/** The registries with the connector in them; a text: why not. */
function register(name: string, files: ProjectFiles): ReadonlyMap<string, string> | string {
  const camel = camelOf(name);
  const id = name.slice(0, name.indexOf('-'));
  const example = [
    `  '${name}': {`,
    `    id: '${id}',`,
    `    url: 'https://${name}.example.com',`,
    `    credentials: { token: '\${${name.replaceAll('-', '_').toUpperCase()}_TOKEN}' },`,
    '    options: {},',
    '  },',
  ].join('\n');
  const edits: readonly (readonly [path: string, anchor: string, line: string])[] = [
    ['gateway/connector-names.ts', '\n] as const;', `\n  '${name}',`],
    [
      'gateway/connectors.ts',
      '\nimport { MortarError }',
      `\nimport { ${camel} } from '#connectors/${name}/connector.ts';`,
    ],
    ['gateway/connectors.ts', '\n};\n', `\n  '${name}': ${camel},`],
    ['gateway/connector-examples.ts', '\n};\n', `\n${example}`],
    ['connectors/README.md', '\n| writes, ', `\n| ${id}, ${pascalOf(name.slice(id.length + 1))} | \`${name}\` |`],
  ];
  const changed = new Map<string, string>();
  for (const [path, anchor, line] of edits) {
    const text = changed.get(path) ?? files.read(path) ?? '';
    const at = text.indexOf(anchor);
    if (at === -1) return `${path} does not look as expected: register ${name} there by hand, as the others are.`;
    changed.set(path, text.slice(0, at) + line + text.slice(at));
  }
  return changed;
}

/** Line lengths depend on the name; and this process has the old connectors loaded. */
function finishApart(paths: readonly string[]): boolean {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const formatted = spawnSync(join(root, 'node_modules/.bin/oxfmt'), paths, { cwd: root, stdio: 'ignore' });
  const documented = spawnSync(process.execPath, ['gateway/main.ts', 'docs'], { cwd: root, stdio: 'ignore' });
  return formatted.status === 0 && documented.status === 0;
}
