import type { FileConfig } from './config-schema.ts';
import { CONNECTOR_NAMES, unknownConnector } from './connector-names.ts';
import { nearestName } from '#platform/nearest-name.ts';
import type { ConnectedSystem, PortName } from '#schema/model/sources.ts';

/** Something the file says that cannot be; `path` leads to it. */
export interface ConfigFinding {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Names that name nothing: connectors, systems and channels; and names given twice. Pure, in the order of the file. */
export function findBrokenReferences({ systems, retail }: FileConfig): readonly ConfigFinding[] {
  const system = nameCheck(
    'system',
    systems.map(({ id }) => id),
  );
  const channel = nameCheck(
    'channel',
    retail.channels.map(({ id }) => id),
  );
  return [
    ...systems.flatMap(({ connector }, index) =>
      CONNECTOR_NAMES.some((name) => name === connector)
        ? []
        : [{ path: ['systems', index, 'connector'], message: unknownConnector(connector) }],
    ),
    ...twice(['systems'], systems),
    ...system(['retail', 'catalogSystem'], retail.catalogSystem),
    ...twice(['retail', 'channels'], retail.channels),
    ...retail.channels.flatMap(({ priceSystem, listingSystem }, index) => [
      ...system(['retail', 'channels', index, 'priceSystem'], priceSystem),
      ...system(['retail', 'channels', index, 'listingSystem'], listingSystem),
    ]),
    ...retail.locations.flatMap((location, index) => {
      const path = ['retail', 'locations', index];
      return [
        ...system([...path, 'system'], location.system),
        ...(location.onlyChannels ?? []).flatMap((id, at) => channel([...path, 'onlyChannels', at], id)),
        ...(location.aliases ?? []).flatMap((alias, at) => system([...path, 'aliases', at, 'system'], alias.system)),
      ];
    }),
    ...retail.authorities.flatMap((authority, index) =>
      system(['retail', 'authorities', index, 'system'], authority.system),
    ),
    ...findMixedAuthorities(systems, retail.authorities),
    ...Object.keys(retail.codePrefixes).flatMap((id) => system(['retail', 'codePrefixes', id], id)),
    ...twice(['retail', 'recipients'], retail.recipients),
    ...retail.recipients.flatMap((recipient, index) =>
      system(['retail', 'recipients', index, 'system'], recipient.system),
    ),
  ];
}

type NameCheck = (path: ConfigFinding['path'], name: string | undefined) => readonly ConfigFinding[];

function nameCheck(what: string, known: readonly string[]): NameCheck {
  return (path, name) => {
    if (name === undefined || known.includes(name)) return [];
    const nearest = nearestName(name, known);
    const hint = nearest === null ? `configured are ${known.join(', ') || 'none'}` : `did you mean "${nearest}"?`;
    return [{ path, message: `${path.map(String).join('.')} names the unknown ${what} "${name}"; ${hint}` }];
  };
}

function twice(path: readonly PropertyKey[], entries: readonly { readonly id: string }[]): readonly ConfigFinding[] {
  const seen = new Set<string>();
  return entries.flatMap(({ id }, index) => {
    if (!seen.has(id)) {
      seen.add(id);
      return [];
    }
    return [{ path: [...path, index, 'id'], message: `${path.map(String).join('.')} has two entries named "${id}"` }];
  });
}

/**
 * Two tills have stores of their own, and so have two warehouses; but a till and a warehouse system may both describe one
 * store, and its stock would count twice.
 */
function findMixedAuthorities(
  systems: FileConfig['systems'],
  authorities: FileConfig['retail']['authorities'],
): readonly ConfigFinding[] {
  const connectorKinds = new Map(systems.map(({ id, connector }) => [id, connector.split('-')[0]]));
  const first = new Map<string, string>();
  return authorities.flatMap(({ system, locationKinds }, index) =>
    locationKinds.flatMap((kind, at): ConfigFinding[] => {
      const other = first.get(kind) ?? system;
      first.set(kind, other);
      if (connectorKinds.get(other) === connectorKinds.get(system)) return [];
      const message = `${kind} has two authorities of different kinds (${other} and ${system}): one system's stock figure counts at a place; remove the kind from one of them`;
      return [{ path: ['retail', 'authorities', index, 'locationKinds', at], message }];
    }),
  );
}

type Offering = Pick<ConnectedSystem, 'system' | 'connector' | 'ports'>;

/** Roles that a system's connector cannot fill: an authority without stock, prices without items. Pure. */
export function findMissingPorts({ retail }: FileConfig, systems: readonly Offering[]): readonly ConfigFinding[] {
  const needs = (path: ConfigFinding['path'], id: string | undefined, port: PortName): readonly ConfigFinding[] => {
    const found = systems.find(({ system }) => system === id);
    if (found === undefined || found.ports.some((offered) => offered.port === port)) return [];
    const able = systems.filter(({ ports }) => ports.some((offered) => offered.port === port));
    const hint =
      able.length === 0
        ? 'none of the systems has any'
        : `those that have: ${able.map(({ system }) => system).join(', ')}`;
    const message = `${path.map(String).join('.')} names ${found.system}, whose connector ${found.connector} has no ${port}; ${hint}`;
    return [{ path, message }];
  };
  return [
    ...needs(['retail', 'catalogSystem'], retail.catalogSystem, 'items'),
    ...retail.channels.flatMap(({ priceSystem, listingSystem }, index) => [
      ...needs(['retail', 'channels', index, 'priceSystem'], priceSystem, 'items'),
      ...needs(['retail', 'channels', index, 'listingSystem'], listingSystem, 'items'),
    ]),
    ...retail.authorities.flatMap(({ system }, index) =>
      needs(['retail', 'authorities', index, 'system'], system, 'stock'),
    ),
  ];
}
