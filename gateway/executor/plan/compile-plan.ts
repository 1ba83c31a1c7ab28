import type { PlanNode, QueryPlan } from '@apollo/query-planner';

import { compileFetch } from './fetch-step.ts';
import { flatten } from './paths.ts';
import type { PlanPlace, PlanStep } from './run.ts';
import type { TypeRelations } from './type-relations.ts';

export interface PlanCompiler {
  readonly types: TypeRelations;
  /** A path of the plan as traces tell it. */
  readonly nameOf: (path: readonly string[]) => readonly string[];
}

/** The steps of a plan, ready to run any number of times; null: nothing to fetch. @throws {Error} for @defer and subscriptions */
export function compilePlan({ node }: QueryPlan, compiler: PlanCompiler): PlanStep | null {
  if (node === undefined) return null;
  if (node.kind === 'Subscription') throw new Error('subscriptions are not executed as plans');
  return compileNode(node, compiler, { wave: 1, path: '' });
}

const NOTHING: PlanStep = () => Promise.resolve();

function compileNode(node: PlanNode, compiler: PlanCompiler, place: PlanPlace): PlanStep {
  switch (node.kind) {
    case 'Fetch':
      return compileFetch(node, compiler.types, place);
    case 'Sequence': {
      let { wave } = place;
      const steps = node.nodes.map((child) => {
        const step = compileNode(child, compiler, { ...place, wave });
        wave += wavesOf(child);
        return step;
      });
      return async (run, targets) => {
        for (const step of steps) {
          // oxlint-disable-next-line no-await-in-loop -- each step needs what the ones before it fetched
          await step(run, targets);
        }
      };
    }
    case 'Parallel': {
      const steps = node.nodes.map((child) => compileNode(child, compiler, place));
      return async (run, targets) => void (await Promise.all(steps.map((step) => step(run, targets))));
    }
    case 'Flatten': {
      const { path } = node;
      const step = compileNode(node.node, compiler, { ...place, path: compiler.nameOf(path.map(String)).join('.') });
      return (run, targets) => {
        const found = flatten(targets, path);
        return found.length === 0 ? NOTHING(run, found) : step(run, found);
      };
    }
    case 'Condition': {
      const taken = node.ifClause === undefined ? NOTHING : compileNode(node.ifClause, compiler, place);
      const otherwise = node.elseClause === undefined ? NOTHING : compileNode(node.elseClause, compiler, place);
      return (run, targets) => (run.coerced[node.condition] === true ? taken : otherwise)(run, targets);
    }
    case 'Defer':
      throw new Error('@defer is not executed here');
  }
}

/** How many fetches of a plan wait for one another. */
function wavesOf(node: QueryPlan['node']): number {
  switch (node?.kind) {
    case 'Fetch':
      return 1;
    case 'Flatten':
      return wavesOf(node.node);
    case 'Sequence':
      return node.nodes.reduce((sum, child) => sum + wavesOf(child), 0);
    case 'Parallel':
      return Math.max(0, ...node.nodes.map(wavesOf));
    case 'Condition':
      return Math.max(wavesOf(node.ifClause), wavesOf(node.elseClause));
    case undefined:
    case 'Defer':
    case 'Subscription':
      return 0;
  }
}

/** Length of the texts of all fetches of a plan. */
export function fetchedCharacters(node: QueryPlan['node']): number {
  switch (node?.kind) {
    case 'Fetch':
      return node.operation.length;
    case 'Flatten':
      return fetchedCharacters(node.node);
    case 'Sequence':
    case 'Parallel':
      return node.nodes.reduce((sum, child) => sum + fetchedCharacters(child), 0);
    case 'Condition':
      return fetchedCharacters(node.ifClause) + fetchedCharacters(node.elseClause);
    case undefined:
    case 'Defer':
    case 'Subscription':
      return 0;
  }
}
