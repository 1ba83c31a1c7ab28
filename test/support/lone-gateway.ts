import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

import { AUDIENCE, startTestIssuer, type TestIssuer } from './gateway.ts';
import type { MortarProcess } from './mortar-process.ts';
import { waitForReady } from './product-client.ts';
import { createPartStarter, endAll, type Variables } from './product-parts.ts';

const ready = z.object({
  graph: z.object({ id: z.string(), refused: z.object({ id: z.string() }).nullable() }),
});
export type GraphState = z.infer<typeof ready>['graph'];

/** What /readyz of a gateway tells of its supergraph. */
export async function readGraphState(base: string): Promise<GraphState> {
  return ready.parse(await (await fetch(`${base}/readyz`)).json()).graph;
}

/** A gateway process over subgraphs of others, with an issuer of its own. */
export interface LoneGateway extends AsyncDisposable {
  readonly run: MortarProcess;
  readonly url: string;
  readonly issuer: TestIssuer;
  /** Puts another supergraph in the place of the file, as deployments do: by renaming. */
  readonly replace: (supergraphSdl: string) => void;
  /** Which supergraph is served, as /readyz tells it. */
  readonly graph: () => Promise<GraphState>;
  /** Resolves once /readyz tells what is waited for. @throws {Error} with the output after 20 seconds */
  readonly until: (holds: (state: GraphState) => boolean) => Promise<GraphState>;
}

export interface LoneGatewayOptions {
  readonly supergraphSdl: string;
  /** Entries of the section `subgraphs`, in YAML's flow style. @default none */
  readonly subgraphs?: readonly string[];
  readonly nodeArguments?: readonly string[];
  /** Of the process, beside the usual. */
  readonly environment?: Variables;
}

const WITHIN_MS = 20_000;
const POLL_MS = 10;

export async function startLoneGateway(options: LoneGatewayOptions): Promise<LoneGateway> {
  const home = mkdtempSync(join(tmpdir(), 'mortar-e2e-'));
  const issuer = await startTestIssuer();
  const file = join(home, 'supergraph.graphql');
  const config = join(home, 'mortar.config.yaml');
  const entries = (options.subgraphs ?? []).map((entry) => `  - ${entry}\n`).join('');
  writeFileSync(
    config,
    `issuer: { url: '${issuer.url}', audience: '${AUDIENCE}' }\n${entries === '' ? '' : `subgraphs:\n${entries}`}`,
  );
  const replace = (supergraphSdl: string): void => {
    writeFileSync(`${file}.new`, supergraphSdl);
    renameSync(`${file}.new`, file);
  };
  replace(options.supergraphSdl);
  const runs: MortarProcess[] = [];
  const close = async (): Promise<void> => {
    await endAll(runs);
    await issuer.close();
    rmSync(home, { recursive: true, force: true });
  };
  try {
    const start = createPartStarter({
      runs,
      flags: ['--port=0', '--metrics-port=0', `--home=${home}`, `--config=${config}`],
      environment: options.environment ?? {},
      nodeArguments: options.nodeArguments ?? [],
      wrapper: [],
    });
    const { run, base } = await start(['--role=gateway', `--supergraph=${file}`]);
    await waitForReady(run, base, WITHIN_MS);
    const graph = async (): Promise<GraphState> => readGraphState(base);
    return {
      run,
      url: `${base}/graphql`,
      issuer,
      replace,
      graph,
      until: async (holds) => {
        for (const until = Date.now() + WITHIN_MS; Date.now() < until;) {
          const state = await graph();
          if (holds(state)) return state;
          await sleep(POLL_MS);
        }
        throw new Error(`the gateway did not come to serve it: ${JSON.stringify(await graph())}\n${run.output()}`);
      },
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
