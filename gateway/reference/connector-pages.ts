import { stringify } from 'yaml';

import { CONNECTOR_EXAMPLES } from '#gateway/connector-examples.ts';
import { CONNECTOR_NAMES, type ConnectorName } from '#gateway/connector-names.ts';
import { type AnyConnector, CONNECTORS } from '#gateway/connectors.ts';
import { declaredPorts } from '#connectors/kit/declared-ports.ts';
import type { LimitRule } from '#connectors/kit/definition.ts';
import { type ProjectFiles, projectFiles } from '#gateway/project-files.ts';
import { exchangePath, readExchange } from './mapping/exchange.ts';
import { mappingSection } from './mapping/mapping-section.ts';
import { type DefinedPort, mapPort, type PortMapping } from './mapping/port-mapping.ts';
import { code, generatedNote, type Page, table } from './markdown.ts';

export const connectorPagesFolder = 'docs/connectors';

/**
 * One page a connector and their list, from the definitions: what each can do, how fresh, how fast, how to configure it, and
 * which of the vendor's fields become what.
 */
export function connectorPages(read: ProjectFiles['read'] = projectFiles().read): readonly Page[] {
  return [indexPage(), ...CONNECTOR_NAMES.map((name) => connectorPage(name, read))];
}

function indexPage(): Page {
  const rows = CONNECTOR_NAMES.map((name) => {
    const { vendor, apiVersion, capabilities } = CONNECTORS[name];
    return [`[${name}](${name}.md)`, vendor, apiVersion, capabilities.map(code).join(', ')];
  });
  const text = [
    generatedNote,
    '',
    '# Connectors',
    '',
    'What can be connected, from the definitions in `connectors/`. How to: [connect your systems](../connect-your-systems.md).',
    '',
    table(['Connector', 'System', 'Version', 'Capabilities'], rows),
    '',
  ].join('\n');
  return { path: `${connectorPagesFolder}/README.md`, text };
}

function connectorPage(name: ConnectorName, read: ProjectFiles['read']): Page {
  const definition = CONNECTORS[name];
  const { vendor, apiVersion, limits } = definition;
  const text = [
    generatedNote,
    '',
    `# ${name}`,
    '',
    `${vendor}, ${apiVersion}. Quirks, sources and what each option means: [README of the connector](../../connectors/${name}/README.md). Every option with its default: [configuration](../configuration.md#systems).`,
    '',
    '## Configuration',
    'The least it needs; credentials are taken from the environment.',
    '',
    '```yaml',
    stringify([exampleOf(name)], { indent: 2 }).trimEnd(),
    '```',
    '',
    '## Capabilities',
    ...capabilityLines(definition),
    '',
    '## Reads',
    portsTable(definition),
    '',
    ...writesSection(definition),
    '## Feeds',
    feedsTable(definition),
    '',
    '## Limits',
    `At most ${limits.concurrency} calls at once (\`concurrency\`); after a 429 that names no time the account rests ${limits.pauseMs / 1000} s.`,
    '',
    limitsTable(definition, name),
    '',
    '## Webhooks',
    ...webhookSection(definition),
    '',
    ...mappingSection(name, mappingsOf(definition, name, read)),
  ].join('\n');
  return { path: `${connectorPagesFolder}/${name}.md`, text };
}

function exampleOf(name: ConnectorName): object {
  const { id, url, credentials, options } = CONNECTOR_EXAMPLES[name];
  return { id, connector: name, url, credentials, ...(Object.keys(options).length === 0 ? {} : { options }) };
}

/** What capabilities end with that only look. */
const LOOKING: ReadonlySet<string> = new Set(['read', 'feed', 'witness']);

/** Reading and writing apart: credentials that only read are enough for the first. */
function capabilityLines({ capabilities }: AnyConnector): readonly string[] {
  const { looks = [], changes = [] } = Object.groupBy(capabilities, (capability) =>
    LOOKING.has(capability.split(':')[1] ?? '') ? 'looks' : 'changes',
  );
  const listed = (list: readonly string[]): string => (list.length === 0 ? 'nothing' : list.map(code).join(', '));
  return [`- Reads ${listed(looks)}.`, `- Writes ${listed(changes)}.`];
}

function webhookSection({ webhook }: AnyConnector): readonly string[] {
  if (webhook === undefined) return ['None: changes are seen when a feed runs.'];
  const handshake = webhook.handshake === undefined ? '' : ', answers its handshake';
  const rows = Object.entries(webhook.events).map(([event, feed]) => [code(event), code(feed)]);
  const renewed =
    webhook.subscription &&
    `Subscriptions are made and renewed by Mortar every ${webhook.subscription.everyMs / 3_600_000} hours.`;
  return [
    `\`/webhooks/{id}\` verifies the vendor's signature${handshake} and reads the named feeds at once. Refused: bad signatures (401), and deliveries older than five minutes where the vendor signs the time. ${renewed ?? 'Subscriptions are made in the system itself.'}`,
    '',
    table(['Event, or what its name begins with', 'Feed that is read'], rows),
  ];
}

function portsTable({ ports }: AnyConnector): string {
  const rows = declaredPorts(ports).map(({ port, live, feed, freshnessMs, nets }) => {
    const read = port === 'signals' || port === 'locations' ? undefined : ports[port];
    const batch = live
      ? `live${read === undefined ? '' : `, ${read.max} ${read.max === 1 ? 'key' : 'keys'} a call`}`
      : 'no';
    const stale = freshnessMs === null ? 'the source tells the last change' : `after ${freshnessMs / 1000} s`;
    return [
      code(port),
      batch,
      feed === null ? 'no' : code(feed),
      live ? stale : 'as the feed',
      nets.map(code).join(', ') || '–',
    ];
  });
  return table(
    ['Records', 'While a request runs', 'Kept by feed', 'Stale', 'May be subtracted from on hand already'],
    rows,
  );
}

const SINKS = [
  ['marketingConsentSink', 'consent for a medium'],
  ['audienceSink', 'members of customer lists'],
  ['stockMoveSink', 'stock moves'],
  ['stockOfferSink', 'what may be sold'],
  ['profileSink', 'profiles'],
  ['erasureSink', 'erasure of a profile'],
  ['orderStepSink', 'steps of an order'],
] as const;
const REPEATED = {
  natural: 'may be sent again: it sets a state',
  key: 'may be sent again: it carries a key of its own',
  sequence: 'may be sent again: an older one changes nothing',
  none: 'never sent twice',
} as const satisfies Record<string, string>;

/** Whoever reads of a write wants to know who calls it. */
const UNSENT =
  'For programs over the ports of `schema/model/sources.ts`: the product itself sends none of them yet ([what that means](../connect-your-systems.md#what-is-sent-to-your-systems)).';

function writesSection({ ports }: AnyConnector): readonly string[] {
  const rows = SINKS.flatMap(([sink, what]) => {
    const definition = ports[sink];
    return definition === undefined ? [] : [[what, `${definition.max} a call`, REPEATED[definition.idempotency]]];
  });
  return rows.length === 0 ? [] : ['## Writes', UNSENT, '', table(['What', 'At once', 'When it fails'], rows), ''];
}

function feedsTable({ ports }: AnyConnector): string {
  const feeds = [
    ports.itemFeed,
    ports.stockFeed,
    ports.profileFeed,
    ports.loyaltyFeed,
    ports.orderFeed,
    ports.signalFeed,
  ];
  const rows = feeds.flatMap((feed) =>
    feed === undefined
      ? []
      : [[code(feed.feed), `${feed.intervalMs / 1000}`, feed.expired === undefined ? 'no' : 'yes']],
  );
  return rows.length === 0 ? 'None.' : table(['Feed', 'Seconds between runs', 'Page token may expire'], rows);
}

function limitsTable(definition: AnyConnector, name: ConnectorName): string {
  const { rules } = definition.limits;
  if (rules === undefined) return 'The vendor publishes no rates: its 429 is all we know.';
  const settings: unknown = definition.settings({ connector: name, ...CONNECTOR_EXAMPLES[name] });
  const rows = rules(settings).map((rule) => [
    code(rule.name),
    rule.operations?.map(code).join(', ') ?? 'every call of the account',
    rateOf(rule),
  ]);
  return table(['Rate', 'Counts', 'Published'], rows);
}

function rateOf(rule: LimitRule): string {
  const unit = rule.cost === undefined ? 'calls' : 'credits';
  if (rule.kind === 'window') return `${rule.limit} ${unit} in any ${rule.windowMs / 1000} s`;
  return `${rule.burst} ${unit} at once, then ${rule.perSecond} a second`;
}

/** A process may write the pages again and again; its definitions stay the same, and examples are compared. */
const found = new Map<string, PortMapping>();

/** @throws {Error} naming the example that is missing or does not show everything: a page without a hole, or none */
function mappingsOf(definition: AnyConnector, name: ConnectorName, read: ProjectFiles['read']): readonly PortMapping[] {
  return Object.keys(definition.ports).map((key) => {
    // The keys of an object of this type.
    const port = key as DefinedPort;
    const path = exchangePath(name, port);
    try {
      const example = readExchange(path, read);
      const known = `${path} ${JSON.stringify(example)}`;
      const mapping = found.get(known) ?? mapPort({ definition, port, example, config: CONNECTOR_EXAMPLES[name] });
      found.set(known, mapping);
      return mapping;
    } catch (error) {
      throw new Error(
        `No field mapping of ${name}, ${port} (${path}): ${error instanceof Error ? error.message : ''}`,
        {
          cause: error,
        },
      );
    }
  });
}
