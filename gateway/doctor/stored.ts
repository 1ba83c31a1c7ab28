import { connectorOf } from '#gateway/connectors.ts';
import type { Config } from '#gateway/config-schema.ts';
import { createCrosswalk } from '#domain/catalog/crosswalk.ts';
import { createPriceCurrencies } from '#domain/catalog/price-currencies.ts';
import { createStockQuarantine } from '#domain/stock/quarantine.ts';
import { declaredPorts } from '#connectors/kit/declared-ports.ts';
import type { Database } from '#platform/database.ts';
import { type FeedState, readFeedStates } from '#platform/feed-cursors.ts';
import type { SystemConfig } from '#schema/model/configuration.ts';
import { type DoctorFinding, findingsAbout, namesOf } from './finding.ts';

/** 15 minutes: the refresh promise of the retail brief. */
const LATE_MS = 15 * 60_000;
const SHOWN = 5;

/** What the stored state says of lag, unmatched items and figures that cannot be true. Changes nothing. */
export async function checkStored(
  config: Config,
  database: Database,
  nowMs: number,
): Promise<readonly DoctorFinding[]> {
  const [states, wrongCurrency, quarantined] = await Promise.all([
    readFeedStates(database),
    createPriceCurrencies({ database, ...config.retail }).wrongItems(),
    createStockQuarantine(database).bySystem(),
  ]);
  const crosswalk = createCrosswalk({ database });
  const counts = await crosswalk.unmatchedCounts();
  const findings = config.systems.map(async (system): Promise<readonly DoctorFinding[]> => {
    const { warning } = findingsAbout(system.id);
    const count = counts.get(system.id) ?? 0;
    const unmatched = count === 0 ? [] : await crosswalk.unmatchedItems(system.id, SHOWN);
    const foreign = wrongCurrency.get(system.id) ?? 0;
    const held = quarantined.get(system.id);
    return [
      ...checkLag(
        system,
        states.filter((state) => state.system === system.id),
        nowMs,
      ),
      ...(count === 0
        ? []
        : [
            warning(
              `${count} items stand for no product, for example ${namesOf(unmatched.map(({ code, externalId, reason }) => `${code ?? externalId} (${reason})`))}`,
              'Give them the product’s code or GTIN, or name the prefix under retail.codePrefixes.',
            ),
          ]),
      ...(foreign === 0
        ? []
        : [
            warning(
              `${foreign} items have prices in a currency its channels do not sell in: they are shown nowhere`,
              'Correct retail.currency, the channel’s currency or the system’s option currency.',
            ),
          ]),
      ...(held === undefined
        ? []
        : [
            warning(
              `${held.rows} stock figures cannot be true, for example ${namesOf(held.recent.slice(0, SHOWN).map((row) => `${row.code} at ${row.locationExternalId} (${row.reason})`))}`,
              'Correct them in the system: they are shown, and never offered.',
            ),
          ]),
    ];
  });
  return (await Promise.all(findings)).flat();
}

function checkLag(system: SystemConfig, states: readonly FeedState[], nowMs: number): readonly DoctorFinding[] {
  const { ok, warning } = findingsAbout(system.id);
  const feeds = declaredPorts(connectorOf(system).ports).flatMap(({ port, feed }) =>
    feed === null || port === 'signals' ? [] : [feed],
  );
  if (feeds.length === 0) return [];
  const of = (feed: string): FeedState | undefined => states.find((state) => state.feed === feed);
  const never = feeds.filter((feed) => of(feed)?.loaded !== true);
  const late = feeds.filter((feed) => {
    const completedAtMs = of(feed)?.completedAtMs ?? null;
    return completedAtMs !== null && nowMs - completedAtMs > LATE_MS;
  });
  const leftOut = states.filter((state) => state.leftOut > 0);
  return [
    ...(never.length > 0
      ? [warning(`never loaded: ${namesOf(never)}`, 'Start the gateway, or look in its log for "feed page failed".')]
      : []),
    ...(late.length > 0
      ? [
          warning(
            `not up to date for 15 minutes: ${namesOf(late)}`,
            'See that a gateway runs, and its log for "feed page failed".',
          ),
        ]
      : []),
    ...leftOut.map((state) =>
      warning(
        `${state.leftOut} rows of ${state.feed} could not be read and were left out`,
        'Look for "feed rows left out" in the log.',
      ),
    ),
    ...(never.length + late.length === 0 ? [ok(`feeds are up to date: ${namesOf(feeds)}`)] : []),
  ];
}
