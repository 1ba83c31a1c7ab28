// Runs in a worker thread: planning is synchronous, and for some documents long.
import { parentPort, workerData } from 'node:worker_threads';
import { GraphQLError, parse } from 'graphql';

import { openPlanner } from './open-planner.ts';
import type { PlanJob, PlannerMessage, PlannerThreadData } from './planner-protocol.ts';

const port = parentPort;
if (port === null) throw new Error('planner-worker runs in a worker thread only');
// Set by planner-thread.ts, the only creator of this worker.
const { supergraphSdl } = workerData as PlannerThreadData;
const planner = await openPlanner(supergraphSdl, { withDocuments: false });

function answer({ id, text, operationName }: PlanJob): PlannerMessage {
  try {
    return { kind: 'planned', id, plan: planner.plan(parse(text, { noLocation: true }), operationName) };
  } catch (error) {
    if (error instanceof GraphQLError) return { kind: 'refused', id };
    return { kind: 'failed', id, message: error instanceof Error ? error.message : String(error) };
  }
}

port.on('message', (job: PlanJob) => port.postMessage(answer(job)));
port.postMessage({ kind: 'ready' } satisfies PlannerMessage);
