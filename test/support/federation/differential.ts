import { RemoteGraphQLDataSource } from '@apollo/gateway';

import { type AcceptedDifference, compare } from './compare.ts';
import {
  apolloContestant,
  type Contestant,
  ourContestant,
  type Outcome,
  question,
  type Question,
  truthContestant,
} from './contestants.ts';
import { createRandomOperation } from './random-operation.ts';
import { createRandomModel, modelOf, type RandomModel } from './random-supergraph.ts';
import {
  createWorld,
  type Misbehavior,
  type PlainSubgraph,
  truthSchema,
  typeNameOf,
  worldSources,
} from './random-world.ts';
import { serveSubgraphs } from './served-subgraph.ts';
import { limitsConfig } from '#gateway/config-schema.ts';
import { CompositionError, composeSubgraphs } from '#gateway/composition.ts';
import { loadGraph } from '#gateway/executor/loaded-graph.ts';
import { readSubgraphSdls } from '#gateway/subgraph-schemas.ts';
import { aRequestOf } from '#test/support/requests.ts';

export interface Differential {
  readonly operations: number;
  /** Operations of which some field failed. */
  readonly withErrors: number;
  /** Operations that Apollo's planner itself cannot plan; it is the same for both. */
  readonly unplanned: number;
  readonly calls: { readonly ours: number; readonly oracle: number };
  readonly accepted: ReadonlyMap<AcceptedDifference, number>;
  readonly wrong: readonly { readonly seed: string; readonly text: string; readonly wrong: readonly string[] }[];
}

const MODES: readonly Misbehavior[] = [
  { failing: 0, unknown: 0 },
  { failing: 9, unknown: 0 },
  { failing: 11, unknown: 7 },
];

/** The first model from this seed on that composes; random models sometimes ask for what no subgraph can reach. */
function composedModel(seed: number): {
  readonly model: RandomModel;
  readonly sdl: string;
  readonly seed: number;
} {
  for (let attempt = seed; attempt < seed + 200; attempt += 1) {
    const model = createRandomModel(attempt);
    try {
      return { model, sdl: composeSubgraphs(model.subgraphs), seed: attempt };
    } catch (error) {
      if (!(error instanceof CompositionError)) throw error;
    }
  }
  throw new Error(`no model from seed ${seed} on composes`);
}

/** Where the subgraphs are: of this process, or each behind HTTP of its own. */
export type Setting = 'in-process' | 'remote';

/** Asks this many random operations of one random supergraph: ours, the oracle's and graphql's own answers side by side. */
export async function runDifferential(
  modelSeed: number,
  operations: number,
  setting: Setting = 'in-process',
): Promise<Differential> {
  return runOver(composedModel(modelSeed), operations, setting);
}

/** The same over the product's own supergraph, with invented values behind it. */
export async function runDifferentialOverOurs(
  seed: number,
  operations: number,
  setting: Setting = 'in-process',
): Promise<Differential> {
  const subgraphs = readSubgraphSdls();
  const sdl = composeSubgraphs(subgraphs);
  return runOver({ model: modelOf(subgraphs, (await loadGraph(sdl)).apiSchema), sdl, seed }, operations, setting);
}

interface Contestants extends AsyncDisposable {
  readonly ours: Awaited<ReturnType<typeof ourContestant>>;
  readonly oracle: Awaited<ReturnType<typeof apolloContestant>>;
}

async function openContestants(
  sdl: string,
  sourcesOf: (who: 'ours' | 'oracle') => readonly PlainSubgraph[],
  setting: Setting,
): Promise<Contestants> {
  const [mine, theirs] = [sourcesOf('ours'), sourcesOf('oracle')];
  if (setting === 'in-process') {
    const oracle = await apolloContestant(sdl, theirs);
    return { ours: await ourContestant(sdl, mine), oracle, [Symbol.asyncDispose]: () => oracle.stop() };
  }
  // The oracle is a router of others: it has no key to sign with, and its documents meet the limits of end users.
  const token = () => Promise.resolve(aRequestOf().principal);
  const limits = limitsConfig.parse({ tokens: 20_000, depth: 100, aliases: 1_000, rootFields: 200, cost: 1e12 });
  const [ourSide, oracleSide] = await Promise.all([serveSubgraphs(mine), serveSubgraphs(theirs, { token, limits })]);
  const oracle = await apolloContestant(sdl, theirs, ({ name }) => {
    return new RemoteGraphQLDataSource({
      url: oracleSide.urls.get(name) ?? '',
      willSendRequest: ({ request }) => request.http?.headers.set('authorization', 'Bearer any'),
    });
  });
  return {
    ours: await ourContestant(sdl, ourSide.sources),
    oracle,
    [Symbol.asyncDispose]: async () => {
      await oracle.stop();
      await ourSide[Symbol.asyncDispose]();
      await oracleSide[Symbol.asyncDispose]();
    },
  };
}

async function runOver(
  { model, sdl, seed }: ReturnType<typeof composedModel>,
  operations: number,
  setting: Setting,
): Promise<Differential> {
  const misbehavior = { failing: 0, unknown: 0 };
  const worlds = {
    ours: createWorld(model, misbehavior),
    oracle: createWorld(model, misbehavior),
    truth: createWorld(model, misbehavior),
  };
  const calls = { ours: 0, oracle: 0 };
  const sourcesOf = (who: 'ours' | 'oracle') => worldSources(model, worlds[who], () => void (calls[who] += 1));
  await using contestants = await openContestants(sdl, sourcesOf, setting);
  const { ours, oracle } = contestants;
  const truth = truthContestant(ours.apiSchema, (schema) => truthSchema(schema, worlds.truth), typeNameOf);
  const accepted = new Map<AcceptedDifference, number>();
  const wrong: Differential['wrong'][number][] = [];
  let asked = 0;
  let withErrors = 0;
  let unplanned = 0;
  for (let draw = 0; asked < operations; draw += 1) {
    const operation = createRandomOperation(ours.apiSchema, seed * 100_003 + draw);
    if (operation === null) continue;
    const mode = MODES[asked % MODES.length];
    Object.assign(misbehavior, mode);
    for (const world of Object.values(worlds)) world.reset();
    const asking = question(operation.text, operation.variables);
    // oxlint-disable-next-line no-await-in-loop -- the world misbehaves for one operation at a time
    const [mine, theirs, real] = await Promise.all([
      answerOf(ours, asking),
      answerOf(oracle, asking),
      truth.ask(asking),
    ]);
    if (mine === null && theirs === null) {
      unplanned += 1;
      continue;
    }
    asked += 1;
    if (mine === null || theirs === null) {
      wrong.push({
        seed: `${seed}/${draw}`,
        text: operation.text,
        wrong: [`${mine === null ? 'ours' : 'the oracle'} threw`],
      });
      continue;
    }
    if (theirs.paths.length > 0) withErrors += 1;
    const compared = { question: asking, ours: mine, oracle: theirs, truth: real, partial: misbehavior.unknown > 0 };
    const verdict = compare(compared);
    for (const difference of verdict.accepted) accepted.set(difference, (accepted.get(difference) ?? 0) + 1);
    if (verdict.wrong.length > 0) wrong.push({ seed: `${seed}/${draw}`, text: operation.text, wrong: verdict.wrong });
  }
  return { operations: asked, withErrors, unplanned, calls, accepted, wrong };
}

/** Null: it threw. */
async function answerOf(contestant: Contestant, asking: Question): Promise<Outcome | null> {
  try {
    return await contestant.ask(asking);
  } catch {
    return null;
  }
}
