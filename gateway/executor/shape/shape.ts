import {
  type FragmentDefinitionNode,
  getNamedType,
  type GraphQLField,
  type GraphQLSchema,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
} from 'graphql';

import { collectFields, type GuardedSet } from './collect.ts';
import { type Complete, completer, leafFit, type Shape, type ShapeField, typeNameCompleter } from './complete.ts';
import { isIntrospection } from '#gateway/executor/introspection.ts';
import { requestError } from '#gateway/http/request-error.ts';

/** Selections visited to shape one operation: fragments that multiply end here. */
const MAX_SELECTIONS = 500_000;

export interface ShapeContext {
  /** The API schema: what is inaccessible does not exist here. */
  readonly schema: GraphQLSchema;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly spend: () => void;
}

export function createShapeContext(
  schema: GraphQLSchema,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): ShapeContext {
  let spent = 0;
  const spend = (): void => {
    spent += 1;
    if (spent > MAX_SELECTIONS) throw requestError('LIMIT_COST', 'The document selects too much.');
  };
  return { schema, fragments, spend };
}

/** Prepares selection sets of the client; each type is worked out when its first row comes. */
export function createShape(context: ShapeContext, sets: readonly GuardedSet[]): Shape {
  const known = new Map<string, readonly ShapeField[]>();
  return {
    fieldsOf: (typeName) => {
      const found = known.get(typeName);
      if (found !== undefined) return found;
      const fields = compileFields(context, sets, typeName);
      known.set(typeName, fields);
      return fields;
    },
  };
}

function compileFields(context: ShapeContext, sets: readonly GuardedSet[], typeName: string): readonly ShapeField[] {
  const { schema, fragments, spend } = context;
  const type = schema.getType(typeName);
  const applies = (condition: string): boolean => {
    if (condition === typeName) return true;
    const other = schema.getType(condition);
    return isAbstractType(other) && (isObjectType(type) || isInterfaceType(type)) && schema.isSubType(other, type);
  };
  const fields = isObjectType(type) || isInterfaceType(type) ? type.getFields() : {};
  return [...collectFields(sets, { fragments, applies, spend }).values()].flatMap(
    ({ key, node, guards, sets: below }): ShapeField[] => {
      const name = node.name.value;
      const coordinate = `${typeName}.${name}`;
      const conditions = guards.some((guard) => guard.length === 0) ? null : guards;
      if (name === '__typename') {
        const complete = typeNameCompleter(typeName, isObjectType(type));
        return [{ key, coordinate, guards: conditions, complete, fits: null }];
      }
      // The gateway's own answer lies in the root row already.
      if (isIntrospection(name)) {
        const complete: Complete = (value) => value ?? null;
        return [{ key, coordinate, guards: conditions, complete, fits: null }];
      }
      const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
      if (field === undefined) return [];
      const complete = completeField(context, field, below);
      return [{ key, coordinate, guards: conditions, complete, fits: leafFit(field.type) }];
    },
  );
}

function completeField(
  context: ShapeContext,
  field: GraphQLField<unknown, unknown>,
  below: readonly GuardedSet[],
): Complete {
  const composite = isCompositeType(getNamedType(field.type));
  return completer(context.schema, field.type, composite ? createShape(context, below) : null);
}
