import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

import { type CommandReport, failed, succeeded } from './report.ts';
import { type Environment, loadConfig, type ServeFlags } from '#gateway/config.ts';
import { lockHome } from '#gateway/home-lock.ts';
import { importConsentFile } from '#gateway/wiring.ts';
import { systemClock } from '#platform/clock.ts';
import { createLogger } from '#platform/log.ts';

const SHOWN_REFUSALS = 20;

export interface ImportConsentsOptions {
  readonly file: string;
  readonly flags: ServeFlags & { readonly config: string };
  readonly environment: Environment;
  readonly onProgress: (text: string) => void;
}

/**
 * Imports a JSON Lines file of past decisions into the ledger; running it again changes nothing. Fails (exit code 1) when
 * a line was refused, after importing all others.
 * @throws {MortarError} CONFIGURATION_INVALID
 */
export async function runImportConsents(options: ImportConsentsOptions): Promise<CommandReport> {
  const { flags, environment } = options;
  const file = resolve(options.file);
  if (!existsSync(file)) return failed(`cannot read ${options.file}: there is no such file`);
  const config = loadConfig({ file: flags.config, flags, environment, sandbox: false });
  const lock = lockHome(config.home);
  try {
    const report = await importConsentFile({
      config,
      file,
      clock: systemClock,
      logger: createLogger({ level: config.logLevel }),
      onProgress: ({ read }) => options.onProgress(`${read.toLocaleString('en-US')} lines`),
    });
    const counts = `${report.read} decisions read: ${report.recorded} recorded, ${report.known} known already, ${report.refused} refused.`;
    if (report.refused === 0) return succeeded(counts);
    return failed(
      counts,
      ...report.refusals.slice(0, SHOWN_REFUSALS).map(({ line, reason }) => `  line ${line}: ${reason}`),
    );
  } finally {
    lock.release();
  }
}
