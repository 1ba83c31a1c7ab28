import { isInterfaceType, isObjectType, parse } from 'graphql';

import { readResolvedFields } from '#gateway/field-resolvers.ts';
import { graphNames } from '#gateway/supergraph.ts';
import { MortarError } from '#platform/errors.ts';
import type { Subgraph } from '#platform/subgraph.ts';

/**
 * Refuses a supergraph that was composed with another version of the subgraphs of this process: fields they no longer have
 * would be null without an error. What they have beside it is not served, and does no harm.
 * @throws {MortarError} CONFIGURATION_INVALID with the first of them
 */
export function assertCurrent(supergraphSdl: string, here: readonly Pick<Subgraph, 'name' | 'schema'>[]): void {
  if (here.length === 0) return;
  const names = graphNames(supergraphSdl);
  const schemas = new Map(here.map(({ name, schema }) => [name, schema]));
  for (const { coordinate, typeName, graphs } of readResolvedFields(parse(supergraphSdl, { noLocation: true }))) {
    for (const graph of graphs) {
      const name = names.get(graph) ?? graph;
      const schema = schemas.get(name);
      const type = schema?.getType(typeName);
      const fields = isObjectType(type) || isInterfaceType(type) ? type.getFields() : {};
      if (schema !== undefined && fields[coordinate.slice(typeName.length + 1)] === undefined)
        throw new MortarError('CONFIGURATION_INVALID', {
          message: `the supergraph is of another version: ${name} has no ${coordinate} here; compose it again (mortar compose)`,
        });
    }
  }
}
