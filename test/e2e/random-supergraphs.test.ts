import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';

import { CompositionError, composeSubgraphs } from '#gateway/composition.ts';
import { loadGraph } from '#gateway/executor/loaded-graph.ts';
import { question, truthContestant } from '#test/support/federation/contestants.ts';
import { sendJson, serveSubgraph } from '#test/support/federation/http-subgraph.ts';
import { createRandomOperation } from '#test/support/federation/random-operation.ts';
import { createRandomModel, type RandomModel } from '#test/support/federation/random-supergraph.ts';
import { createWorld, truthSchema, typeNameOf, worldSources } from '#test/support/federation/random-world.ts';
import { askGateway, composed } from '#test/support/foreign-graph.ts';
import { startLoneGateway } from '#test/support/lone-gateway.ts';
import { aRequestOf } from '#test/support/requests.ts';

/** A model that composes, from this seed on, with subgraphs behind HTTP. */
async function serveModel(seed: number, started: AsyncDisposableStack) {
  const compose = (model: RandomModel): string | null => {
    try {
      return composeSubgraphs(model.subgraphs);
    } catch (error) {
      if (error instanceof CompositionError) return null;
      throw error;
    }
  };
  let model = createRandomModel(seed);
  for (let attempt = seed + 1; compose(model) === null; attempt += 1) model = createRandomModel(attempt);
  const world = createWorld(model, { failing: 0, unknown: 0 });
  const services = await Promise.all(
    worldSources(model, world).map(async ({ name, sdl, execute }) => {
      const server = await serveSubgraph(async (call) => {
        const request = aRequestOf();
        const { variables, query: text } = call;
        const given = { document: parse(text), variables, operationName: undefined, request };
        const { data, errors } = await execute(given);
        sendJson(call, { data, ...(errors.length === 0 ? {} : { errors }) });
      });
      started.use(server);
      return { name, sdl, url: server.url };
    }),
  );
  return { supergraphSdl: composed(services), world };
}

describe('a gateway over random supergraphs, one after the other', () => {
  it('answers as graphql itself does over the same values', async () => {
    await using started = new AsyncDisposableStack();
    const models = [];
    for (const seed of [2_000, 14_000, 26_000]) models.push(await serveModel(seed, started));
    const [first] = models;
    const gateway = started.use(await startLoneGateway({ supergraphSdl: first?.supergraphSdl ?? '' }));
    let answered = 0;
    for (const { supergraphSdl, world } of models) {
      const graph = await loadGraph(supergraphSdl);
      gateway.replace(supergraphSdl);
      await gateway.until(({ id }) => id === graph.id);
      const truth = truthContestant(graph.apiSchema, (schema) => truthSchema(schema, world), typeNameOf);
      for (let draw = 0; draw < 35; draw += 1) {
        const operation = createRandomOperation(graph.apiSchema, draw);
        // Mutations change the world: the differential proofs compare them.
        if (operation === null || operation.text.startsWith('mutation')) continue;
        const { text, variables } = operation;
        const answer = await askGateway(gateway, text, { variables });
        if (answer.errors?.some(({ extensions }) => String(extensions['code']).startsWith('LIMIT_')) === true) continue;
        const expected = await truth.ask(question(text, variables));
        expect({ text, data: answer.data }).toEqual({ text, data: expected.data });
        answered += 1;
      }
    }
    expect(answered).toBeGreaterThan(40);
  }, 90_000);
});
