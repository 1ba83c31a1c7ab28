import { z } from 'zod';

import { createLocator } from '#gateway/config-file.ts';
import { findMissingPorts } from '#gateway/config-references.ts';
import type { Config } from '#gateway/config-schema.ts';
import { connectorOf } from '#gateway/connectors.ts';
import { declaredPorts } from '#connectors/kit/declared-ports.ts';
import { MortarError } from '#platform/errors.ts';
import type { SystemConfig } from '#schema/model/configuration.ts';
import { toSystemId } from '#schema/model/ids.ts';
import { type DoctorFinding, findingsAbout } from './finding.ts';

export interface ConfigurationText {
  /** For messages. */
  readonly file: string;
  readonly text: string;
}

const { ok, warning, error } = findingsAbout('configuration');

/** What can be said of a valid configuration without asking anybody. Pure. */
export function checkConfiguration(config: Config, source: ConfigurationText): readonly DoctorFinding[] {
  const locate = createLocator(source);
  const at = (path: readonly PropertyKey[], message: string): string => `${locate(path)} ${message}`;
  const offerings = config.systems.map((system) => ({
    system: toSystemId(system.id),
    connector: system.connector,
    ports: declaredPorts(connectorOf(system).ports),
  }));
  const findings = [
    ...config.systems.flatMap((system, index) => checkSettings(system, index, at)),
    ...findMissingPorts(config, offerings).map(({ path, message }) =>
      error(at(path, message), 'Name a system that has them, or remove the entry.'),
    ),
    ...checkChannels(config, at),
    ...checkLocations(config, offerings, at),
    ...checkWebhooks(config),
  ];
  if (findings.some(({ level }) => level === 'error')) return findings;
  return [
    ok(`${source.file} is valid: ${config.systems.length} systems, ${config.retail.channels.length} channels`),
    ...findings,
  ];
}

type At = (path: readonly PropertyKey[], message: string) => string;

const refusedKeys = z.object({ keys: z.array(z.array(z.string())) });

/** Whether the connector takes the system's options and credentials. */
function checkSettings(system: SystemConfig, index: number, at: At): readonly DoctorFinding[] {
  try {
    connectorOf(system).settings(system);
    const { rateFactor } = system.options;
    if (typeof rateFactor !== 'number' || rateFactor <= 1) return [];
    const path = ['systems', index, 'options', 'rateFactor'];
    return [
      warning(
        at(path, `${system.id} may call ${rateFactor} times as often as its vendor publishes`),
        'Keep it only where the vendor granted more; otherwise remove rateFactor.',
      ),
    ];
  } catch (thrown) {
    if (!(thrown instanceof MortarError)) throw thrown;
    const keys = refusedKeys.safeParse(thrown.facts).data?.keys ?? [[]];
    const todo = `See the options of ${system.connector} in docs/connectors/${system.connector}.md.`;
    return [error(at(['systems', index, ...(keys[0] ?? [])], thrown.message), todo)];
  }
}

/** Kinds of places that a channel promises from and nobody counts. */
function checkChannels({ retail }: Config, at: At): readonly DoctorFinding[] {
  const counted = new Set(retail.authorities.flatMap(({ locationKinds }) => locationKinds));
  return retail.channels.flatMap(({ id, locationKinds }, index) =>
    locationKinds
      .filter((kind) => !counted.has(kind))
      .map((kind) =>
        warning(
          at(['retail', 'channels', index, 'locationKinds'], `channel ${id} serves ${kind}, which has no authority`),
          `Add an authority for ${kind}: until then such places promise nothing (NO_AUTHORITY).`,
        ),
      ),
  );
}

type Offering = Parameters<typeof findMissingPorts>[1][number];

/** Places of systems that describe none themselves: the configuration must say what they are. */
function checkLocations({ retail }: Config, offerings: readonly Offering[], at: At): readonly DoctorFinding[] {
  const describes = (system: string): boolean =>
    offerings.some((entry) => entry.system === system && entry.ports.some(({ port }) => port === 'locations'));
  const known = new Set([
    ...retail.locations.map(({ kind }) => kind),
    ...(offerings.some(({ system }) => describes(system)) ? (['STORE'] as const) : []),
  ]);
  return [
    ...retail.locations.flatMap(({ system, externalId, kind }, index) =>
      kind === undefined && !describes(system)
        ? [
            error(
              at(
                ['retail', 'locations', index],
                `${externalId} of ${system} has no kind, and ${system} describes no places`,
              ),
              'Add kind, or the entry is no place at all.',
            ),
          ]
        : [],
    ),
    ...retail.authorities.flatMap(({ system, locationKinds }, index) =>
      locationKinds
        .filter((kind) => !known.has(kind))
        .map((kind) =>
          warning(
            at(['retail', 'authorities', index], `${system} counts ${kind}, and no place is of that kind`),
            `Add such a place under retail.locations, or remove ${kind}.`,
          ),
        ),
    ),
  ];
}

function checkWebhooks({ systems, publicUrl }: Config): readonly DoctorFinding[] {
  const notifying = systems.flatMap((system) => {
    const { webhook, settings } = connectorOf(system);
    if (webhook === undefined) return [];
    try {
      return [{ system, configured: webhook.isConfigured(settings(system)) }];
    } catch (thrown) {
      // Its settings are refused, which is a finding of its own.
      if (thrown instanceof MortarError) return [];
      throw thrown;
    }
  });
  const configured = notifying.flatMap((entry) => (entry.configured ? [entry.system.id] : []));
  return [
    ...notifying
      .filter((entry) => !entry.configured)
      .map(({ system }) =>
        findingsAbout(system.id).warning(
          'no webhook secret is configured: changes are seen at the next run of its feeds',
          `Subscribe /webhooks/${system.id} at the vendor and set its secret (docs/connectors/${system.connector}.md).`,
        ),
      ),
    ...(configured.length > 0 && publicUrl === undefined
      ? [
          warning(
            `${configured.join(', ')} may send webhooks, and publicUrl is not set`,
            'Set publicUrl: vendors that sign the address cannot be verified behind a proxy without it.',
          ),
        ]
      : []),
  ];
}
