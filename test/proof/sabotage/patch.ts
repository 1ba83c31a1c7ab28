import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

const PROJECT = new URL('../../../', import.meta.url).href;

export interface Patch {
  /** Of the module, from the project's folder. */
  readonly module: string;
  /** A piece of its source that occurs exactly once: the rule. */
  readonly rule: string;
  /** What stands there instead. */
  readonly without: string;
}

const removed: Patch[] = [];

/** What was removed from this process, for whoever reads modules by other means. */
export function removedRules(): readonly Patch[] {
  return removed;
}

/**
 * Removes rules from modules as they are loaded into this process; nothing on disk changes.
 * @throws {Error} at once when a rule is no longer found: then the sabotage must follow the code
 */
export function removeRules(...patches: readonly Patch[]): void {
  for (const { module, rule } of patches) {
    const found = readFileSync(fileURLToPath(PROJECT + module), 'utf8').split(rule).length - 1;
    if (found !== 1) throw new Error(`the rule to remove is ${found} times in ${module}: ${rule}`);
  }
  removed.push(...patches);
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const wanted = patches.filter(({ module }) => url === PROJECT + module);
      if (wanted.length === 0) return loaded;
      const text = readFileSync(fileURLToPath(url), 'utf8');
      const source = wanted.reduce((code, { rule, without }) => code.replace(rule, () => without), text);
      return { ...loaded, source };
    },
  });
}
