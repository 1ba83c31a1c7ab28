import type { Config } from '#gateway/config-schema.ts';
import { type DoctorFinding, findingsAbout, namesOf } from './finding.ts';
import type { Probe, ProbedSystem } from './probe.ts';
import { secondsOf } from './process.ts';

/** Signed requests and expiring tokens bear so much; the vendors of signed webhooks five minutes. */
const SKEW_MS = 60_000;

/** What a system's answers say of reach, credentials, limits and clock. Pure. */
export async function judgeAnswers(probed: ProbedSystem): Promise<readonly DoctorFinding[]> {
  const { config, probes, calls, system } = probed;
  const { ok, warning, error } = findingsAbout(config.id);
  if (calls.length === 0 && probes.length === 0) {
    return [
      warning('was not asked: none of its ports can be read without a key', 'Nothing; see it work once it is used.'),
    ];
  }
  const reached = calls.some(({ status }) => status > 0);
  if (!reached) {
    const isSlow = calls.every(({ errorCode }) => errorCode === 'UPSTREAM_TIMEOUT');
    const todo = `Check systems.${config.id}.url, the network and the firewall between here and there.`;
    return [error(`${new URL(config.url).host} ${isSlow ? 'does not answer in time' : 'cannot be reached'}`, todo)];
  }
  const good = probes.filter(({ failure }) => failure === null);
  const slowestMs = Math.max(...calls.map(({ elapsedMs }) => elapsedMs));
  const facts = `${calls.length} calls, the slowest ${Math.round(slowestMs)} ms`;
  const { clockAheadMs } = system.health();
  return [
    ...(good.length === 0 ? [] : [ok(`answers for ${namesOf(good.map(nameOf), 20)} (${facts})`)]),
    ...judgeFailures(probed),
    ...(clockAheadMs !== null && Math.abs(clockAheadMs) > SKEW_MS
      ? [
          warning(
            `its clock is ${secondsOf(clockAheadMs)} of ours`,
            'Synchronize the clocks (NTP): ages of figures are wrong by that much.',
          ),
        ]
      : []),
    ...(await judgeLimits(probed)),
  ];
}

function nameOf({ port, how }: Probe): string {
  return how === 'feed' ? `${port} by feed` : port;
}

function judgeFailures({ config, probes, calls }: ProbedSystem): readonly DoctorFinding[] {
  const { warning, error } = findingsAbout(config.id);
  const failed = probes.filter(({ failure }) => failure !== null);
  if (failed.length === 0) return [];
  const refused = new Set(
    calls.filter(({ status }) => status === 401 || status === 403).map(({ operation }) => operation),
  );
  const limited = failed.filter(({ failure }) => failure?.code === 'UPSTREAM_RATE_LIMITED');
  const others = failed.filter((probe) => !limited.includes(probe));
  const credentials = `Check the credentials of ${config.id} and what they may do at the vendor (docs/connectors/${config.connector}.md).`;
  return [
    ...(refused.size > 0 ? [error(`refuses our credentials for ${namesOf([...refused])}`, credentials)] : []),
    ...limited.map((probe) =>
      warning(
        `its limits allow no call for ${nameOf(probe)} now`,
        'Run doctor again when less is read; see budgets in { systems }.',
      ),
    ),
    ...(refused.size > 0
      ? []
      : others.map((probe) =>
          error(`${nameOf(probe)}: ${probe.failure?.code}: ${probe.failure?.message ?? ''}`, todoFor(probe)),
        )),
  ];
}

function todoFor({ failure }: Probe): string {
  if (failure?.code === 'UPSTREAM_CONTRACT') {
    return 'The address may not be this vendor’s API, or its version is another: compare url and options with the vendor’s documents.';
  }
  return failure?.code === 'UPSTREAM_TIMEOUT'
    ? 'It answers too late: try again, raise timeoutMs, or ask the vendor.'
    : 'It fails now: try again, and ask the vendor if it stays.';
}

/** Published rates beside what the vendor's answers said of them. */
async function judgeLimits({ config, system, budgetBefore }: ProbedSystem): Promise<readonly DoctorFinding[]> {
  const { warning } = findingsAbout(config.id);
  const { rates, pausedUntilMs } = await system.budget();
  return [
    ...rates.flatMap(({ name, limit, periodMs }) => {
      const published = budgetBefore.rates.find((rate) => rate.name === name)?.limit ?? limit;
      if (limit >= published) return [];
      const said = `${limit} in ${periodMs / 1000} s`;
      return [
        warning(
          `its answers allow ${said} for ${name}, the configuration ${published}`,
          'Lower the option (or rateFactor) to what the vendor grants.',
        ),
      ];
    }),
    ...(pausedUntilMs === null
      ? []
      : [
          warning(
            `asked for a pause until ${new Date(pausedUntilMs).toISOString()} (429)`,
            'Other programs may use the account: set rateFactor below 1.',
          ),
        ]),
  ];
}

/** Whether the places of configuration and systems are the same ones. Pure. */
export function judgePlaces({ retail }: Config, probed: readonly ProbedSystem[]): readonly DoctorFinding[] {
  const aliases = retail.locations.flatMap(({ aliases: names }) => names ?? []);
  return probed.flatMap(({ config, places, stockPlaces }) => {
    const { warning, error } = findingsAbout(config.id);
    const own = retail.locations.filter(({ system }) => system === config.id).map(({ externalId }) => externalId);
    const named = [...own, ...aliases.filter(({ system }) => system === config.id).map(({ externalId }) => externalId)];
    const unknown = places === null ? [] : named.filter((externalId) => !places.includes(externalId));
    const counts = retail.authorities.some(({ system }) => system === config.id);
    const unnamed = [...stockPlaces].filter(
      (place) => place !== '' && !named.includes(place) && places?.includes(place) !== true,
    );
    return [
      ...(unknown.length > 0
        ? [
            error(
              `has no places ${namesOf(unknown)}, which retail.locations names`,
              'Correct externalId: such a place never has stock.',
            ),
          ]
        : []),
      ...(counts && unnamed.length > 0
        ? [
            warning(
              `states stock at ${namesOf(unnamed)}, which is no configured place`,
              'Add them under retail.locations with their kind: until then that stock is not offered.',
            ),
          ]
        : []),
    ];
  });
}
