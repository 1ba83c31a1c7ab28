import { expect, it } from 'vitest';

import { CONNECTOR_NAMES } from '#gateway/connector-names.ts';
import { CONNECTORS } from '#gateway/connectors.ts';
import { projectFiles } from '#gateway/project-files.ts';
import { connectorPages } from './connector-pages.ts';

const { read } = projectFiles();
const pages = new Map(connectorPages().map(({ path, text }) => [path, text]));
const pageOf = (name: string): string => pages.get(`docs/connectors/${name}.md`) ?? '';

it('writes the same pages again', () => {
  expect(connectorPages()).toEqual([...pages].map(([path, text]) => ({ path, text })));
});

it('writes no page with a hole: an example that is missing fails them all, by its name', () => {
  const gone = 'connectors/pos-square/fixtures/exchanges/loyalty.json';
  expect(() => connectorPages((path) => (path === gone ? null : read(path)))).toThrow(
    `No field mapping of pos-square, loyalty (${gone})`,
  );
});

it('tells reading and writing apart', () => {
  expect(pageOf('marketplace-amazon')).toContain('- Reads `items:feed`, `stock:feed`, `orders:feed`.');
  expect(pageOf('marketplace-amazon')).toContain('- Writes `stock:publish`, `orders:step`.');
  expect(pageOf('erp-business-central')).toContain('- Writes nothing.');
});

it.each(CONNECTOR_NAMES.filter((name) => CONNECTORS[name].webhook !== undefined))(
  'tells which feed each event of %s wakes, and every one of them is a feed',
  (name) => {
    const { webhook, ports } = CONNECTORS[name];
    const feeds = Object.values(ports).flatMap((port: object) => ('feed' in port ? [port.feed] : []));
    for (const [event, feed] of Object.entries(webhook?.events ?? {})) {
      expect(feeds).toContain(feed);
      expect(pageOf(name)).toContain(`| \`${event}\` | \`${feed}\` |`);
    }
  },
);

it('tells what is read without effect, what is not read, and what a write never sends', () => {
  expect(pageOf('erp-tryton')).toContain('- Read, but decide no field: `[].shipment_state`.');
  expect(pageOf('wms-connect')).toMatch(/In the example, and not read: .*`shipments\[\]\.ship_to`/);
  expect(pageOf('social-pinterest')).toContain('- Never sent: `reference`.');
});
