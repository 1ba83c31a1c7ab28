import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { tryCompose } from './compose.ts';
import { type CommandReport, failed, succeeded } from './report.ts';
import { SUBGRAPH_NAMES } from '#gateway/config-schema.ts';
import { readSubgraphSdls, type SubgraphSdl } from '#gateway/subgraph-schemas.ts';
import { readSupergraph, SUPERGRAPH_FILE } from '#gateway/supergraph.ts';
import { assertSupported } from '#gateway/supported-supergraph.ts';
import { assertServable } from '#gateway/swap/servable.ts';
import { MortarError } from '#platform/errors.ts';

export interface ComposeBesideOptions {
  /** Each `name=file` or `name=file@url`; files are relative to the working folder. */
  readonly given: readonly string[];
  readonly out: string | undefined;
}

interface GivenSubgraph extends SubgraphSdl {
  /** Null: the configuration of the gateway names it. */
  readonly url: string | null;
}

const GIVEN = /^([A-Za-z][\w-]{0,63})=(.+?)(?:@(https?:\/\/.+))?$/;

/**
 * Composes subgraphs of others with ours into a file of its own. What only a subgraph may answer or be given that is told
 * the caller is said, for the configuration decides that.
 */
export function runComposeBeside({ given, out }: ComposeBesideOptions): CommandReport {
  if (out === undefined)
    return failed(`--subgraph needs --out FILE: ${fileURLToPath(SUPERGRAPH_FILE)} is composed of ours alone.`);
  if (isOurs(out)) return failed(`${out} is composed of ours alone; name another file with --out.`);
  const others: GivenSubgraph[] = [];
  for (const text of given) {
    const other = readGiven(text, others);
    if (typeof other === 'string') return failed(other);
    others.push(other);
  }
  const supergraph = tryCompose([...readSubgraphSdls(), ...others]);
  if (typeof supergraph !== 'string') return supergraph;
  const refusal = refusalOf(() => assertSupported(supergraph));
  if (refusal !== null) return failed(refusal);
  try {
    writeFileSync(out, supergraph);
  } catch (error) {
    return failed(`cannot write ${out}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const names = [...SUBGRAPH_NAMES, ...others.map(({ name }) => name)].toSorted().join(', ');
  return succeeded(`${out} written (${names}).`, ...notesOn(supergraph, others));
}

function isOurs(out: string): boolean {
  const ours = fileURLToPath(SUPERGRAPH_FILE);
  if (resolve(out) === ours) return true;
  try {
    return realpathSync(out) === realpathSync(ours);
  } catch {
    // It is not there yet.
    return false;
  }
}

/** A sentence instead: why not. */
function readGiven(text: string, before: readonly SubgraphSdl[]): GivenSubgraph | string {
  const [, name = '', file = '', url = null] = GIVEN.exec(text) ?? [];
  if (name === '') return `--subgraph "${text}" is not like loyalty=loyalty.graphql@https://loyalty.example/graphql`;
  if (SUBGRAPH_NAMES.some((ours) => ours === name)) return `"${name}" is a subgraph of ours: give yours another name.`;
  if (before.some((other) => other.name === name)) return `--subgraph names "${name}" twice.`;
  if (url !== null && !URL.canParse(url)) return `"${url}" is no address.`;
  try {
    return { name, url, sdl: readFileSync(file, 'utf8') };
  } catch (error) {
    return `cannot read the schema of ${name}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function notesOn(supergraph: string, others: readonly GivenSubgraph[]): readonly string[] {
  const ours = SUBGRAPH_NAMES.map((name) => ({ name, trust: 'context' as const }));
  const refusal = refusalOf(() => assertServable(supergraph, { subgraphs: ours, references: [readSupergraph()] }));
  const elsewhere = others.filter(({ url }) => url === null).map(({ name }) => name);
  return [
    ...(elsewhere.length === 0
      ? []
      : [`The configuration must name the url of ${elsewhere.join(', ')} (section subgraphs).`]),
    ...(refusal === null
      ? []
      : ['Refused by a gateway unless the configuration says whom these subgraphs believe (trust):', refusal]),
  ];
}

function refusalOf(check: () => void): string | null {
  try {
    check();
    return null;
  } catch (error) {
    if (error instanceof MortarError) return error.message;
    throw error;
  }
}
