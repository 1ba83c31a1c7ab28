import { Kind, parse } from 'graphql';
import type { ConstDirectiveNode, SelectionSetNode } from 'graphql';

import { argumentOf, namedTypeOf } from './sdl-index.ts';
import type { SdlIndex } from './sdl-index.ts';

/** What a federation field set (`@key`, `@requires`, `@provides`) selects. */
export interface FieldSet {
  /** `Type.field` of every selected field, nested ones included. */
  readonly coordinates: readonly string[];
  readonly hasArguments: boolean;
  /** Number of fields at its top level. */
  readonly width: number;
  /** Its normalized text. */
  readonly text: string;
}

function returnTypeOf(index: SdlIndex, coordinate: string): string | null {
  const declaration = index.byCoordinate.get(coordinate)?.[0];
  return declaration === undefined ? null : namedTypeOf(declaration.node.type).name.value;
}

interface Walk {
  readonly index: SdlIndex;
  readonly coordinates: string[];
  hasArguments: boolean;
}

function walk(state: Walk, typeName: string, selectionSet: SelectionSetNode): void {
  for (const selection of selectionSet.selections) {
    if (selection.kind === Kind.INLINE_FRAGMENT) {
      walk(state, selection.typeCondition?.name.value ?? typeName, selection.selectionSet);
    } else if (selection.kind === Kind.FIELD) {
      const coordinate = `${typeName}.${selection.name.value}`;
      state.coordinates.push(coordinate);
      if ((selection.arguments?.length ?? 0) > 0) state.hasArguments = true;
      const inner = returnTypeOf(state.index, coordinate);
      if (selection.selectionSet !== undefined && inner !== null) walk(state, inner, selection.selectionSet);
    }
  }
}

/** Reads the `fields` argument of a directive that stands on (or returns) `typeName`. */
export function readFieldSet(index: SdlIndex, typeName: string, directive: ConstDirectiveNode): FieldSet {
  const text = String(argumentOf(directive, 'fields'));
  const operation = parse(`{ ${text} }`).definitions[0];
  const selectionSet = operation?.kind === Kind.OPERATION_DEFINITION ? operation.selectionSet : undefined;
  const state: Walk = { index, coordinates: [], hasArguments: false };
  if (selectionSet !== undefined) walk(state, typeName, selectionSet);
  return {
    coordinates: state.coordinates,
    hasArguments: state.hasArguments,
    width: selectionSet?.selections.length ?? 0,
    text: text.trim().split(/\s+/).join(' '),
  };
}
