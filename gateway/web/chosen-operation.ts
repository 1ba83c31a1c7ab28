import { type DocumentNode, Kind, type OperationDefinitionNode, OperationTypeNode, parse } from 'graphql';

/** The operation a document is run for. */
export interface ChosenOperation {
  /** Null where the operation has no name. */
  readonly operationName: string | null;
  readonly subscription: boolean;
}

/**
 * The operation of `query` that `named` means: the one of that name; without a name the first, as GraphiQL has it. The
 * editor tells the name (and the parsed document) up to 100 ms after the text it belongs to, so a text of one operation
 * is run under its own. What no operation of several is called, or does not parse, keeps its name, as no subscription:
 * the gateway says what is wrong with it.
 */
export function chosenOperation(query: string, named: string | null): ChosenOperation {
  const operations = operationsOf(query);
  const isClear = named === null || operations.length === 1;
  const operation = operations.find(({ name }) => name?.value === named) ?? (isClear ? operations[0] : undefined);
  if (operation === undefined) return { operationName: named, subscription: false };
  return {
    operationName: operation.name?.value ?? null,
    subscription: operation.operation === OperationTypeNode.SUBSCRIPTION,
  };
}

function operationsOf(query: string): readonly OperationDefinitionNode[] {
  const document = parsed(query);
  return document?.definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION) ?? [];
}

function parsed(query: string): DocumentNode | null {
  try {
    return parse(query, { noLocation: true });
  } catch {
    // Half-typed text: sent as it is, for the gateway's own message with line and column.
    return null;
  }
}
