import type { GraphQLResolveInfo } from 'graphql';

import { MortarError } from './errors.ts';
import { subjectsOf } from './field-access.ts';
import type { Access } from './field-access.ts';
import type { FieldRule } from './rule-map.ts';
import type { SubgraphContext } from './subgraph.ts';

type Path = GraphQLResolveInfo['path'];

/** A response path as GraphQL writes it: keys and indices from the root. */
function pathToList(path: Path | undefined): readonly (string | number)[] {
  const list: (string | number)[] = [];
  for (let step = path; step !== undefined; step = step.prev) list.push(step.key);
  return list.toReversed();
}

/**
 * What a withheld field answers: null and a notice when it was refused, an error when a scope is missing. Without a
 * decision (the rule itself failed) a governed field counts as refused and any other as an error.
 */
export function answerWithheld(
  rule: FieldRule,
  access: Exclude<Access, { kind: 'open' }> | undefined,
  row: unknown,
  at: { readonly context: SubgraphContext; readonly path: Path },
): null | Error {
  if (access?.kind === 'denied') return new MortarError('SCOPE_REQUIRED', { facts: { scopes: access.scopes } });
  if (access === undefined && rule.governed === null) {
    return new MortarError('INTERNAL_SERVER_ERROR', { message: `the rule of ${rule.coordinate} failed` });
  }
  at.context.notices.refuse({
    coordinate: rule.coordinate,
    purpose: at.context.request.purpose,
    reason: access?.reason ?? 'LEDGER_UNAVAILABLE',
    rowKey: subjectsOf(rule, row)[0] ?? '',
    path: pathToList(at.path),
  });
  return null;
}
