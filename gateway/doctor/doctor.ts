import { readFileSync } from 'node:fs';

import { type Environment, loadConfig, type ServeFlags } from '#gateway/config.ts';
import type { Config } from '#gateway/config-schema.ts';
import { openSharedKnowledge } from '#gateway/systems.ts';
import { seenStockPlaces } from '#domain/stock/snapshots.ts';
import type { Clock } from '#platform/clock.ts';
import { MortarError } from '#platform/errors.ts';
import { silentLogger } from '#platform/log.ts';
import { checkConfiguration } from './configuration.ts';
import { type DoctorFinding, findingsAbout } from './finding.ts';
import { withRetailDefaults } from '#gateway/connectors.ts';
import { connectToProbe, type ProbedSystem, probeFeeds, type ProbeOptions, probeReads } from './probe.ts';
import { checkIssuer, checkRedis, openStateToLook } from './process.ts';
import { checkStored } from './stored.ts';
import { judgeAnswers, judgePlaces } from './systems.ts';

export interface DoctorOptions {
  readonly flags: ServeFlags & { readonly config: string };
  readonly environment: Environment;
  /** Nothing is asked: neither systems, issuer, database nor Redis. */
  readonly offline: boolean;
  /** Milliseconds the whole check may take. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** What is being looked at. */
  readonly onProgress: (text: string) => void;
}

/**
 * Everything that can be found out without changing anything: no call writes to a system, the database is only looked at,
 * and calls are taken from the limits all processes share. Never rejects for what it finds.
 */
export async function examine(options: DoctorOptions): Promise<readonly DoctorFinding[]> {
  const { flags, environment, offline } = options;
  let config: Config;
  let text: string;
  try {
    config = loadConfig({ file: flags.config, flags, environment, sandbox: false });
    text = readFileSync(flags.config, 'utf8');
  } catch (thrown) {
    if (!(thrown instanceof MortarError)) throw thrown;
    const todo = 'Correct the file; docs/configuration.md lists every key.';
    return thrown.message.split('\n').map((line) => findingsAbout('configuration').error(line, todo));
  }
  const found = checkConfiguration(config, { file: flags.config, text });
  if (offline || found.some(({ level }) => level === 'error')) return found;
  return [...found, ...(await examineLive(config, options))];
}

/** Milliseconds one read of a system may take at most: nobody waits for it, but the person at the terminal. */
const READ_MS = 15_000;
/** A system is read in three steps, one after the other. */
const STEPS = 4;
const MOST_PLACES = 5_000;

async function examineLive(config: Config, options: DoctorOptions): Promise<readonly DoctorFinding[]> {
  const { clock, onProgress, timeoutMs } = options;
  const { budgets = null } =
    openSharedKnowledge(config, { clock, logger: silentLogger, onUpstreamCall: () => {} }) ?? {};
  const probe: ProbeOptions = {
    clock,
    budgets,
    signal: AbortSignal.timeout(timeoutMs),
    readMs: Math.min(READ_MS, timeoutMs / STEPS),
    areas: config.retail.locations
      .flatMap(({ country, postalCode }) =>
        country === undefined || postalCode === undefined ? [] : [{ country, postalCode }],
      )
      .slice(0, 1),
  };
  const state = await openStateToLook(config);
  const probed = await Promise.all(
    config.systems.map((system) => connectToProbe(withRetailDefaults(system, config.retail), probe)),
  );
  try {
    onProgress('issuer, Redis');
    const [issuer, redis] = await Promise.all([checkIssuer(config, clock.nowMs), checkRedis(config)]);
    await askSystems(config, probed, { probe, onProgress });
    if (state.database !== null) {
      for (const { system, place } of await seenStockPlaces(state.database, MOST_PLACES)) {
        probed.find(({ config: { id } }) => id === system)?.stockPlaces.add(place);
      }
    }
    const answers = await Promise.all(probed.map(judgeAnswers));
    const stored = state.database === null ? [] : await checkStored(config, state.database, clock.nowMs());
    const late = findingsAbout('doctor').error(
      `stopped after ${timeoutMs / 1000} s: not everything was asked`,
      'Run it again with a longer --timeout.',
    );
    const findings = [
      ...issuer,
      ...redis,
      ...state.findings,
      ...answers.flat(),
      ...judgePlaces(config, probed),
      ...stored,
    ];
    return probe.signal.aborted ? [...findings, late] : findings;
  } finally {
    await Promise.all(probed.map(({ system }) => system.close()));
    await budgets?.close();
    await state.database?.close();
  }
}

/** Of each system first the feeds, then the other reads by the keys these named; one that hangs delays nobody else. */
async function askSystems(
  config: Config,
  probed: readonly ProbedSystem[],
  { probe, onProgress }: { readonly probe: ProbeOptions; readonly onProgress: (text: string) => void },
): Promise<void> {
  const feeds = new Map(probed.map((one) => [one.config.id, probeFeeds(one, probe)]));
  const catalog = probed.find(({ config: { id } }) => id === config.retail.catalogSystem);
  let done = 0;
  const ask = async (one: ProbedSystem): Promise<void> => {
    await feeds.get(one.config.id);
    // Who lists no items is asked for the retailer's own codes.
    if (one.items.length === 0) await feeds.get(config.retail.catalogSystem);
    await probeReads(one, catalog?.items.map(({ code }) => code) ?? [], probe);
    done += 1;
    onProgress(`${one.config.id} (${done} of ${probed.length} systems)`);
  };
  await Promise.all(probed.map(ask));
}
