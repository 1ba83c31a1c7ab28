import { type DefinitionNode, type DocumentNode, Kind, parse, valueFromASTUntyped, visit } from 'graphql';

import { linksOf } from './composition.ts';
import { MortarError } from '#platform/errors.ts';

/** The largest supergraph that is read, in characters: a hundred times ours; a larger text would hold the process while it is parsed. */
export const MOST_SUPERGRAPH_CHARACTERS = 8 * 2 ** 20;

const SPECS = 'https://specs.apollo.dev/';

/** Features with rules or meanings we do not follow: without them a supergraph would be served open, or answer wrongly. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  policy: '@policy, which nobody would enforce here: say it with @requiresScopes',
  context: '@context and @fromContext, which are not followed here: hand values over with @requires',
  connect: '@connect, which is not followed here: put a subgraph before that API',
};

/**
 * Refuses what is no supergraph of federation 2, and one that needs what we do not follow. Whether it loads is for the
 * planner to say.
 * @throws {MortarError} CONFIGURATION_INVALID with the reason in a sentence
 */
export function assertSupported(supergraphSdl: string): void {
  if (supergraphSdl.length > MOST_SUPERGRAPH_CHARACTERS)
    throw refused(`it is larger than ${MOST_SUPERGRAPH_CHARACTERS / 2 ** 20} MiB, and no supergraph is`);
  const document = parseOrRefuse(supergraphSdl);
  const features = readFeatures(document);
  const join = features.find(({ name }) => name === 'join');
  if (join === undefined) throw refused(whatElse(document, features));
  if (join.version === 'v0.1' || features.some(({ name }) => name === 'core'))
    throw refused('it is of federation 1: compose it with federation 2');
  for (const { name } of features) {
    const reason = UNSUPPORTED[name];
    if (reason !== undefined) throw refused(`it uses ${reason}`);
  }
  const label = firstOverrideLabel(document);
  if (label !== null)
    throw refused(
      `it uses @override(label: ${JSON.stringify(label)}), and labels are not followed here: leave the label out, or the @override`,
    );
  if (hasUnlinkedPolicy(document)) throw refused(`it uses ${UNSUPPORTED['policy']}`);
}

function refused(reason: string): MortarError {
  return new MortarError('CONFIGURATION_INVALID', { message: `the supergraph cannot be served: ${reason}` });
}

function parseOrRefuse(text: string): DocumentNode {
  try {
    return parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw refused(`it is not GraphQL: ${reason}`);
  }
}

interface Feature {
  /** Of the specification, for example `join`. */
  readonly name: string;
  /** For example `v0.5`. */
  readonly version: string;
}

/** Specifications of Apollo that the schema links, or names by the @core of federation 1. */
function readFeatures(document: DocumentNode): readonly Feature[] {
  return [...linksOf(document), ...linksOf(document, 'core')].flatMap(({ arguments: given = [] }) => {
    const node = given.find(({ name }) => name.value === 'url' || name.value === 'feature');
    const url: unknown = node === undefined ? '' : valueFromASTUntyped(node.value);
    if (typeof url !== 'string' || !url.startsWith(SPECS)) return [];
    const [name = '', version = ''] = url.slice(SPECS.length).split('/');
    return [{ name, version }];
  });
}

function whatElse(document: DocumentNode, features: readonly Feature[]): string {
  const isSubgraph = features.some(({ name }) => name === 'federation');
  return isSubgraph || document.definitions.some(isExtension)
    ? 'it is the schema of a subgraph: compose it with the others (mortar compose --subgraph NAME=FILE --out FILE)'
    : `it is no supergraph: no @link to ${SPECS}join`;
}

const isExtension = ({ kind }: DefinitionNode): boolean => kind.endsWith('Extension');

function firstOverrideLabel(document: DocumentNode): string | null {
  let label: string | null = null;
  visit(document, {
    Directive: ({ name, arguments: given = [] }) => {
      if (name.value !== 'join__field') return;
      const found = given.find((argument) => argument.name.value === 'overrideLabel')?.value;
      if (found?.kind === Kind.STRING) label ??= found.value;
    },
  });
  return label;
}

/** Composers other than Apollo's leave links out. */
function hasUnlinkedPolicy(document: DocumentNode): boolean {
  let found = false;
  visit(document, {
    Directive: ({ name, arguments: given = [] }) => {
      found ||= name.value === 'policy' && given.some((argument) => argument.name.value === 'policies');
    },
  });
  return found;
}
