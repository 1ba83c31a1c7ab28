import { fileURLToPath } from 'node:url';

/**
 * Arguments for Node that start a product with one rule removed. The rule is taken out by a loader of the test, which
 * replaces one export of one module: the product itself has no switch that could be left on.
 */
export function sabotageArguments(rule: string | null): readonly string[] {
  return rule === null ? [] : ['--import', fileURLToPath(new URL(`sabotage/${rule}.ts`, import.meta.url))];
}
