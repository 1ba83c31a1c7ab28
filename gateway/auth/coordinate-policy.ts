import { type GraphQLCompositeType, type GraphQLSchema, isAbstractType } from 'graphql';

import type { FieldPolicy } from '#gateway/policy.ts';
import type { Principal } from '#schema/model/request.ts';
import { type Purpose, ROLE_PURPOSE_CELLS } from '#schema/purposes.ts';

/** `Type.field` -> its policy; open fields are absent. */
export type PolicyMap = ReadonlyMap<string, FieldPolicy>;

/** Why a field is not fetched for this caller. */
export type Denial =
  | { readonly kind: 'SCOPE'; readonly coordinate: string; readonly scopes: readonly (readonly string[])[] }
  | { readonly kind: 'PURPOSE'; readonly coordinate: string };

/** The caller as far as static rules look at it. */
export interface Caller {
  readonly principal: Principal;
  readonly purpose: Purpose | null;
}

/** The static verdict on one coordinate; null: it may be fetched (rows are still decided one by one in the subgraph). */
export function denialOf(coordinate: string, policy: PolicyMap, { principal, purpose }: Caller): Denial | null {
  const rule = policy.get(coordinate);
  if (rule === undefined) return null;
  const held: ReadonlySet<string> = principal.scopes;
  const holds = (scope: string): boolean => held.has(scope) || principal.otherScopes?.has(scope) === true;
  if (rule.scopes !== null && !rule.scopes.some((all) => all.every(holds))) {
    return { kind: 'SCOPE', coordinate, scopes: rule.scopes };
  }
  if (rule.personalData === null) return null;
  const serves =
    purpose !== null &&
    rule.personalData.purposes.includes(purpose) &&
    ROLE_PURPOSE_CELLS[principal.role][purpose] !== 'NEVER';
  return serves ? null : { kind: 'PURPOSE', coordinate };
}

/** The coordinates a selection of `field` on `parent` may read: the type's own and, for abstract types, every possible type's. */
export function coordinatesOf(schema: GraphQLSchema, parent: GraphQLCompositeType, field: string): readonly string[] {
  const own = `${parent.name}.${field}`;
  if (!isAbstractType(parent)) return [own];
  return [own, ...schema.getPossibleTypes(parent).map((type) => `${type.name}.${field}`)];
}
