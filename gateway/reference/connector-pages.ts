import { stringify } from 'yaml';

import { CONNECTOR_EXAMPLES } from '#gateway/connector-examples.ts';
import { CONNECTOR_NAMES, type ConnectorName } from '#gateway/connector-names.ts';
import { type AnyConnector, CONNECTORS } from '#gateway/connectors.ts';
import { declaredPorts } from '#connectors/kit/declared-ports.ts';
import type { LimitRule } from '#connectors/kit/definition.ts';
import { code, generatedNote, type Page, table } from './markdown.ts';

export const connectorPagesFolder = 'docs/connectors';

/** One page a connector and their list, from the definitions: what each can do, how fresh, how fast, and how to configure it. */
export function connectorPages(): readonly Page[] {
  return [indexPage(), ...CONNECTOR_NAMES.map(connectorPage)];
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

function connectorPage(name: ConnectorName): Page {
  const definition = CONNECTORS[name];
  const { vendor, apiVersion, limits } = definition;
  const text = [
    generatedNote,
    '',
    `# ${name}`,
    '',
    `${vendor}, ${apiVersion}. Quirks, sources and what each option means: [README of the connector](../../connectors/${name}/README.md). Every option with its default: [configuration](../configuration.md#systems).`,
    '',
    `Capabilities: ${definition.capabilities.map(code).join(', ')}.`,
    '',
    '## Configuration',
    'The least it needs; credentials are taken from the environment.',
    '',
    '```yaml',
    stringify([exampleOf(name)], { indent: 2 }).trimEnd(),
    '```',
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
    definition.webhook === undefined
      ? 'None: changes are seen when a feed runs.'
      : `\`/webhooks/{id}\` verifies the vendor's signature${definition.webhook.handshake === undefined ? '' : ', answers its handshake'} and reads the named feeds at once. Refused: bad signatures (401), and deliveries older than five minutes where the vendor signs the time.`,
    '',
    ...mappingSection(definition),
  ].join('\n');
  return { path: `${connectorPagesFolder}/${name}.md`, text };
}

function exampleOf(name: ConnectorName): object {
  const { id, url, credentials, options } = CONNECTOR_EXAMPLES[name];
  return { id, connector: name, url, credentials, ...(Object.keys(options).length === 0 ? {} : { options }) };
}

function portsTable({ ports }: AnyConnector): string {
  const rows = declaredPorts(ports).map(({ port, live, feed, freshnessMs, nets }) => {
    const read = port === 'signals' || port === 'locations' ? undefined : ports[port];
    const batch = live ? `live${read === undefined ? '' : `, ${read.max} keys a call`}` : 'no';
    const stale = freshnessMs === null ? 'the source tells the last change' : `after ${freshnessMs / 1000} s`;
    return [
      code(port),
      batch,
      feed === null ? 'no' : code(feed),
      live ? stale : 'as the feed',
      nets.map(code).join(', ') || '–',
    ];
  });
  return table(['Records', 'While a request runs', 'Kept by feed', 'Stale', 'May be netted'], rows);
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

/** What the vendor's fields become is pure code: the page names the files that decide. */
function mappingSection({ id, ports }: AnyConnector): readonly string[] {
  const kinds = declaredPorts(ports).map(({ port }) => code(port));
  return [
    '## Field mapping',
    `${kinds.join(', ')} are decoded by pure functions in \`connectors/${id}/\`, one file a kind of record: the row's schema names every vendor field that is read, the \`decode…\` function beside it what each becomes. Canonical records: \`schema/model/records.ts\`, \`shipping.ts\`, \`outreach.ts\`.`,
    '',
  ];
}
