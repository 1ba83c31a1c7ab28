import { z } from 'zod';

import { MortarError } from '#platform/errors.ts';
import { nearestName } from '#platform/nearest-name.ts';
import type { SystemConfig } from '#schema/model/configuration.ts';

/** Options every connector takes besides its own. */
export const kitOptions = {
  /** Milliseconds one usual request-time call may take; slower ones that a definition knows are scaled by it. @default 800 */
  timeoutMs: z.number().int().min(50).max(30_000).optional(),
  /** Calls at once; default: the connector's own limit. */
  concurrency: z.number().int().min(1).max(128).optional(),
  /** Published rates times this: below 1 where others use the account too, above 1 where the vendor granted more. @default 1 */
  rateFactor: z.number().min(0.01).max(10_000).optional(),
  /** Seconds between two runs of each feed; default: the connector's own pace. */
  feedIntervalSeconds: z.number().min(0.05).max(86_400).optional(),
};

/**
 * Options and credentials by their schemas; unknown options are refused.
 * @throws {MortarError} CONFIGURATION_INVALID naming the system and the key, never a value
 */
export function readSettings<O, C>(config: SystemConfig, options: z.ZodType<O>, credentials: z.ZodType<C>): O & C {
  return {
    ...parsed(config, 'options', options, config.options),
    ...parsed(config, 'credentials', credentials, config.credentials),
  };
}

function parsed<T>(config: SystemConfig, part: string, schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => {
    const place = `systems.${config.id}.${[part, ...issue.path].join('.')}`;
    if (issue.code !== 'unrecognized_keys') return `${place} (${issue.code})`;
    return issue.keys.map(
      (key) => `${place}: unknown ${part === 'options' ? 'option' : 'credential'} "${key}"${hintFor(key, schema)}`,
    );
  });
  // Keys only, never values: whoever knows the file says where they stand.
  const keys = result.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [part, key]) : [[part, ...issue.path.map(String)]],
  );
  throw new MortarError('CONFIGURATION_INVALID', {
    message: `Not valid: ${problems.flat().join('; ')}.`,
    facts: { keys },
  });
}

function hintFor(key: string, schema: unknown): string {
  const nearest = schema instanceof z.ZodObject ? nearestName(key, Object.keys(schema.shape)) : null;
  return nearest === null ? '' : `; did you mean "${nearest}"?`;
}
