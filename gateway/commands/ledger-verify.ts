import { type CommandReport, failed, succeeded } from './report.ts';
import { type Environment, loadConfig, type ServeFlags } from '#gateway/config.ts';
import { openState } from '#gateway/state.ts';
import { verifyLedger } from '#domain/consent/ledger-verify.ts';
import { systemClock } from '#platform/clock.ts';

const SHOWN_FAULTS = 20;

export interface LedgerVerifyOptions {
  readonly flags: ServeFlags & { readonly config: string };
  readonly environment: Environment;
  readonly onProgress: (text: string) => void;
}

/**
 * Walks every chain of the consent ledger and compares the current states with the events. May run beside a server.
 * @throws {MortarError} CONFIGURATION_INVALID
 */
export async function runLedgerVerify({ flags, environment, onProgress }: LedgerVerifyOptions): Promise<CommandReport> {
  const state = await openState(loadConfig({ file: flags.config, flags, environment, sandbox: false }), systemClock);
  try {
    const report = await verifyLedger({
      database: state.database,
      onProgress: (events) => onProgress(`${events.toLocaleString('en-US')} events`),
    });
    const counts = `${report.events} events of ${report.subjects} subjects`;
    if (report.ok) return succeeded(`${counts}: every chain is whole and the states are what the events say.`);
    const shown = report.faults.slice(0, SHOWN_FAULTS).map((fault) => `  ${JSON.stringify(fault)}`);
    return failed(`${counts}: ${report.faultCount} faults`, ...shown);
  } finally {
    await state.database.close();
  }
}
