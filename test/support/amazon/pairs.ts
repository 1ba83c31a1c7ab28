// The request/response pairs that Amazon embeds in its models (`x-amzn-api-sandbox`): its static sandbox answers by them.
import { readFile, readdir } from 'node:fs/promises';

const MODELS = new URL('../../../../shared/specs/amazon-sp-api/', import.meta.url);
const METHODS = new Set(['get', 'put', 'post', 'patch', 'delete']);

/** What Amazon's static sandbox answers to a request. */
export interface AmazonPair {
  /** The model's file. */
  readonly model: string;
  readonly operation: string;
  readonly status: number;
  /** By name: in path, query or body. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly response: unknown;
}

export interface AmazonPairs {
  readonly pairs: readonly AmazonPair[];
  /** Operations the sandbox answers by what was written to it before: nothing is embedded. */
  readonly dynamic: readonly string[];
}

interface Marked {
  readonly 'x-amzn-api-sandbox'?: { readonly static?: readonly Embedded[]; readonly dynamic?: object };
}
interface Embedded {
  readonly request: { readonly parameters: Readonly<Record<string, { readonly value?: unknown }>> };
  readonly response: unknown;
}
interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, Marked>>;
}

/** All of them, in the order of the files; see `contractsAvailable`. */
export async function loadAmazonPairs(): Promise<AmazonPairs> {
  const files = (await readdir(MODELS)).filter((name) => name.endsWith('.json')).toSorted();
  const found = await Promise.all(files.map(async (file) => pairsOf(file)));
  return {
    pairs: found.flatMap(({ pairs }) => pairs),
    dynamic: found.flatMap(({ dynamic }) => dynamic),
  };
}

async function pairsOf(file: string): Promise<AmazonPairs> {
  const { paths } = JSON.parse(await readFile(new URL(file, MODELS), 'utf8')) as {
    readonly paths: Readonly<Record<string, Marked & Readonly<Record<string, unknown>>>>;
  };
  const pairs: AmazonPair[] = [];
  const dynamic: string[] = [];
  for (const item of Object.values(paths)) {
    for (const [method, value] of Object.entries(item)) {
      if (!METHODS.has(method)) continue;
      const operation = value as Operation;
      if (item['x-amzn-api-sandbox']?.dynamic !== undefined) dynamic.push(operation.operationId);
      for (const [status, answer] of Object.entries(operation.responses)) {
        for (const embedded of answer['x-amzn-api-sandbox']?.static ?? [])
          pairs.push(toPair(embedded, { model: file, operation: operation.operationId, status: Number(status) }));
      }
    }
  }
  return { pairs, dynamic };
}

function toPair(
  { request, response }: Embedded,
  named: Pick<AmazonPair, 'model' | 'operation' | 'status'>,
): AmazonPair {
  const parameters = Object.entries(request.parameters).map(([name, { value }]) => [name, value] as const);
  return { ...named, parameters: Object.fromEntries(parameters), response };
}
