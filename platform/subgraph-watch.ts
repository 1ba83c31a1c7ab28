import type { GraphQLSchema } from 'graphql';

import { MortarError } from './errors.ts';
import { mayReadField } from './field-access.ts';
import { buildRuleMap } from './rule-map.ts';
import type { SourceWatch, Subgraph } from './subgraph.ts';

/** Opens one source stream, rights checked; answers how to close it. */
export type OpenSource = (watch: Pick<SourceWatch, 'arguments' | 'onChange'>) => () => void;

/**
 * The door to a subgraph's source streams: the rules of the `Subscription` field hold before anything is watched.
 * @throws {Error} at start, when a field has no stream or a stream no field
 */
export function createWatch(schema: GraphQLSchema, sources: Readonly<Record<string, OpenSource>>): Subgraph['watch'] {
  const fields = Object.keys(schema.getSubscriptionType()?.getFields() ?? {});
  const missing = fields.find((name) => !Object.hasOwn(sources, name));
  if (missing !== undefined) throw new Error(`Subscription.${missing} has no source stream`);
  const unknown = Object.keys(sources).find((name) => !fields.includes(name));
  if (unknown !== undefined) throw new Error(`the source stream ${unknown} has no field in the SDL`);
  const rules = buildRuleMap(schema);
  return async (watch) => {
    await Promise.resolve();
    const open = Object.hasOwn(sources, watch.field) ? sources[watch.field] : undefined;
    if (open === undefined) throw new MortarError('OPERATION_RESOLUTION_FAILURE');
    const rule = rules.get(`Subscription.${watch.field}`);
    if (rule !== undefined && !mayReadField(rule, watch.request)) {
      throw new MortarError('SCOPE_REQUIRED', { facts: { scopes: rule.scopes } });
    }
    return open(watch);
  };
}
