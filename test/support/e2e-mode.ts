/** MORTAR_E2E_MODE=split: every product of a test is a gateway and five subgraphs over one PostgreSQL and one Redis. */
export const isSplitMode: boolean = process.env['MORTAR_E2E_MODE'] === 'split';

/** True where the tests of a file make no sense with a product in parts; the reason is printed. */
export function skipsInSplitMode(reason: string): boolean {
  if (isSplitMode) process.stderr.write(`skipped in split mode: ${reason}\n`);
  return isSplitMode;
}
