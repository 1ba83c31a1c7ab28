import { GraphQLError } from 'graphql';

import { MortarError } from './errors.ts';

/**
 * Runs what judges the caller's own input, and lets the message of BAD_USER_INPUT and LIMIT_LIST reach the caller: any
 * other message of a MortarError is for operators only. The message must not repeat personal input.
 */
export async function explainingInput<V>(run: () => V | Promise<V>): Promise<V> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof MortarError) || (error.code !== 'BAD_USER_INPUT' && error.code !== 'LIMIT_LIST'))
      throw error;
    throw new GraphQLError(error.message, {
      originalError: undefined,
      extensions: { ...error.facts, code: error.code },
    });
  }
}

/** @throws {MortarError} LIMIT_LIST unless 1 <= first <= 100. */
export function checkedFirst(first: number | null | undefined, fallback = 20): number {
  const rows = first ?? fallback;
  if (rows >= 1 && rows <= 100) return rows;
  throw new MortarError('LIMIT_LIST', { message: '`first` must be 1 to 100.' });
}

/** @throws {MortarError} LIMIT_LIST when the list has more than `most` entries. */
export function checkedList<V>(values: readonly V[], name: string, most = 200): readonly V[] {
  if (values.length <= most) return values;
  throw new MortarError('LIMIT_LIST', { message: `\`${name}\` must have at most ${most} entries.` });
}
