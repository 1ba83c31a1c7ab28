import { describe, expect, it } from 'vitest';

import { type ConfigText, parseConfigText } from './config-file.ts';
import { readEnvironment } from './config.ts';
import type { Config } from './config-schema.ts';
import { nearestName } from '#platform/nearest-name.ts';
import { assertProductionReady } from './production-rules.ts';

const valid = `issuer:
  url: http://127.0.0.1:4309
  audience: mortar
systems:
  - id: erp
    connector: erp-business-central
    url: http://127.0.0.1:4310
    credentials:
      token: \${ERP_TOKEN}
retail:
  channels: []
  authorities: []
`;

function parse(text: string, more: Partial<ConfigText> = {}) {
  const variables = { ERP_TOKEN: 's3cret' };
  return parseConfigText({ file: 'mortar.config.yaml', text, variables, production: false, ...more });
}

describe('parseConfigText', () => {
  it('fills in defaults and resolves credentials from the environment', () => {
    const config = parse(valid);
    expect(config.limits).toMatchObject({ depth: 15, aliases: 30, rootFields: 20, bodyBytes: 1_048_576 });
    expect(config.systems[0]?.credentials).toEqual({ token: 's3cret' });
    expect(config.issuer.claims.customerId).toBe('customer_id');
  });

  it('names file, line, column and the nearest known key of an unknown key', () => {
    const text = valid.replace('    connector:', '    conector: x\n    connector:');
    expect(() => parse(text)).toThrow(
      'mortar.config.yaml:6:5 unknown key "systems.0.conector"; did you mean "connector"?',
    );
  });

  it('refuses an unknown key at the top level and deep inside defaults', () => {
    expect(() => parse(`${valid}limts: {}\n`)).toThrow(
      'mortar.config.yaml:13:1 unknown key "limts"; did you mean "limits"?',
    );
    expect(() => parse(`${valid}limits:\n  dept: 3\n`)).toThrow(
      ':14:3 unknown key "limits.dept"; did you mean "depth"?',
    );
  });

  it('gives a gateway alone neither systems nor their secrets, and needs none in the file', () => {
    const options = { file: 'mortar.config.yaml', variables: {}, production: true, gatewayOnly: true };
    expect(parseConfigText({ ...options, text: valid }).systems).toEqual([]);
    const bare = 'issuer: { url: "https://issuer.example", audience: mortar }\n';
    expect(parseConfigText({ ...options, text: bare })).toMatchObject({ systems: [], retail: { channels: [] } });
    expect(() => parse(bare)).toThrow('systems');
  });

  it('reads subgraphs of other processes, and refuses two of one name', () => {
    const text = `${valid}subgraphs:\n  - { name: reviews, url: "https://reviews.example/graphql", trust: none }\n`;
    expect(parse(text).subgraphs).toEqual([
      { name: 'reviews', url: 'https://reviews.example/graphql', trust: 'none', plainText: false },
    ]);
    expect(() => parse(`${text}  - name: reviews\n`)).toThrow(
      'mortar.config.yaml:13:1 subgraphs: two subgraphs have one name',
    );
  });

  it('looks the headers of subgraphs up in the environment, for processes that call them', () => {
    const entry = (more: string) => `${valid}subgraphs:\n  - { name: reviews, ${more} }\n`;
    const given = entry('url: "https://reviews.example", headers: { x-api-key: "${REVIEWS_KEY}" }');
    const variables = { ERP_TOKEN: 'secret', REVIEWS_KEY: 'key-1' };
    expect(parse(given, { variables }).subgraphs[0]?.headers).toEqual({ 'x-api-key': 'key-1' });
    const without = { variables: { ERP_TOKEN: 'secret' } };
    const missing = 'mortar.config.yaml:14:65 headers.x-api-key needs the environment variable REVIEWS_KEY';
    expect(() => parse(given, without)).toThrow(missing);
    expect(() => parse(given, { ...without, gatewayOnly: true })).toThrow(missing);
    expect(parse(given, { ...without, routes: false }).subgraphs[0]).not.toHaveProperty('headers');
    const url = 'url: "https://reviews.example"';
    for (const [more, message] of [
      ['headers: { x-api-key: a }', 'headers need a url beside them'],
      [`${url}, headers: { mortar-context: forged }`, 'this header is not yours to set'],
      [`${url}, headers: { content-length: "1" }`, 'this header is not yours to set'],
      [`${url}, headers: { X-Key: a }`, 'a name of a header'],
      [`${url}, trust: token, headers: { authorization: Basic }`, 'the header authorization is the caller’s'],
    ] as const)
      expect(() => parse(entry(more))).toThrow(message);
    const written = entry(`${url}, headers: { x-api-key: open }`);
    expect(() => parse(written, { production: true })).toThrow('headers.x-api-key is written out');
  });

  it('names the key and the variable of a credential that cannot be resolved', () => {
    expect(() => parse(valid, { variables: {} })).toThrow(
      'mortar.config.yaml:9:7 credentials.token needs the environment variable ERP_TOKEN, which is not set',
    );
  });

  it('resolves references in credentials only', () => {
    const text = valid.replace('audience: mortar', 'audience: ${ERP_TOKEN}');
    expect(parse(text).issuer.audience).toBe('${ERP_TOKEN}');
  });

  it('refuses written-out credentials in production', () => {
    expect(() => parse(valid.replace('${ERP_TOKEN}', 'plain'), { production: true })).toThrow('is written out');
  });

  it('says where YAML syntax is broken and which value is wrong', () => {
    expect(() => parse('issuer: [')).toThrow(/mortar\.config\.yaml:1:\d+/);
    expect(() => parse(`${valid}limits:\n  depth: many\n`)).toThrow(/:14:3 limits\.depth: .*number/);
    expect(() => parse('')).toThrow('mortar.config.yaml:1:1');
  });
});

describe('names that name nothing', () => {
  const retail = (body: string): string => valid.replace('  channels: []\n  authorities: []\n', body);
  const channel = (more: string): string =>
    retail(
      `  channels:\n    - { id: web, name: Web, kind: WEB, locationKinds: [STORE], ${more} }\n  authorities: []\n`,
    );

  it.each([
    [
      valid.replace('erp-business-central', 'erp-busines-central'),
      ':6:5 unknown connector "erp-busines-central"; did you mean "erp-business-central"?',
    ],
    [valid.replace('connector: erp-business-central', 'connector: sap'), 'unknown connector "sap"; known are erp-'],
    [valid.replace('id: erp', 'id: shop'), 'retail.catalogSystem names the unknown system "erp"; configured are shop'],
    [
      channel('priceSystem: erpp'),
      ':12:64 retail.channels.0.priceSystem names the unknown system "erpp"; did you mean "erp"?',
    ],
    [
      channel('priceSystem: erp, listingSystem: shop'),
      'retail.channels.0.listingSystem names the unknown system "shop"',
    ],
    [
      retail('  channels: []\n  authorities:\n    - { system: wms, locationKinds: [WAREHOUSE] }\n'),
      ':13:9 retail.authorities.0.system names the unknown system "wms"',
    ],
    [
      `${valid}  locations:\n    - { system: tills, externalId: L1, onlyChannels: [amazon] }\n`,
      'retail.locations.0.system names the unknown system "tills"',
    ],
    [
      `${valid}  locations:\n    - { system: erp, externalId: L1, onlyChannels: [amazon] }\n`,
      'retail.locations.0.onlyChannels.0 names the unknown channel "amazon"; configured are none',
    ],
    [`${valid}  codePrefixes: { shop: [A-] }\n`, 'retail.codePrefixes.shop names the unknown system "shop"'],
    [`${valid}  recipients: [{ id: a, name: A, system: shop }]\n`, 'retail.recipients.0.system names the unknown'],
  ])('are refused with their place', (text, message) => {
    expect(() => parse(text)).toThrow(message);
  });

  it('refuses two systems of one name', () => {
    const second = '  - { id: erp, connector: pos-square, url: "http://127.0.0.1:1" }\n';
    expect(() => parse(valid.replace('retail:\n', `${second}retail:\n`))).toThrow(
      'systems has two entries named "erp"',
    );
  });

  it('lets two tills share a kind of location, and refuses a till and a warehouse system', () => {
    const shared = (connector: string): string =>
      retail(
        '  channels: []\n  authorities:\n    - { system: a, locationKinds: [STORE] }\n    - { system: b, locationKinds: [STORE] }\n',
      ).replace(
        'retail:\n',
        `  - { id: a, connector: pos-square, url: "http://127.0.0.1:1" }\n  - { id: b, connector: ${connector}, url: "http://127.0.0.1:2" }\nretail:\n`,
      );
    expect(parse(shared('pos-square')).retail.authorities).toHaveLength(2);
    expect(() => parse(shared('wms-connect'))).toThrow('STORE has two authorities of different kinds (a and b)');
  });
});

describe('nearestName', () => {
  it('answers null when nothing is near', () => {
    expect(nearestName('zebra', ['issuer', 'systems'])).toBeNull();
    expect(nearestName('isuer', ['issuer', 'systems'])).toBe('issuer');
  });
});

describe('assertProductionReady', () => {
  const base = { sandbox: false, databaseUrl: null, redisUrl: null, systems: [], subgraphs: [] };
  // The rules read only these fields.
  const check = (more: object) => () => assertProductionReady({ ...base, ...more } as unknown as Config);

  it.each([
    [{ sandbox: true }, 'sandbox never runs in production'],
    [{ databaseUrl: 'postgres://db.example/mortar' }, 'DATABASE_URL goes over the network in plain text'],
    [{ redisUrl: 'redis://cache.example' }, 'REDIS_URL goes over the network in plain text'],
    [
      { systems: [{ id: 'erp', credentials: { token: 'sandbox-erp' } }] },
      'systems.erp.credentials.token holds a default secret',
    ],
    [
      { subgraphs: [{ name: 'reviews', url: 'https://r.example', headers: { 'x-api-key': 'changeme' } }] },
      'subgraphs.reviews.headers.x-api-key holds a default secret',
    ],
    [
      { subgraphs: [{ name: 'reviews', url: 'http://reviews.example/graphql', plainText: false }] },
      'subgraphs: reviews is reached over the network in plain text',
    ],
  ])('refuses %o', (more, message) => {
    expect(check(more)).toThrow(message);
  });

  it('accepts encrypted and local services', () => {
    expect(
      check({ databaseUrl: 'postgres://db.example/m?sslmode=verify-full', redisUrl: 'rediss://cache.example' }),
    ).not.toThrow();
    expect(check({ databaseUrl: 'postgres://127.0.0.1/m', redisUrl: 'redis://localhost' })).not.toThrow();
    const subgraphs = [
      { name: 'a', url: 'https://a.example', plainText: false },
      { name: 'b', url: 'http://127.0.0.1:4001', plainText: false },
      { name: 'c', url: 'http://c.mesh', plainText: true },
      { name: 'd', plainText: false },
    ];
    expect(check({ subgraphs })).not.toThrow();
  });
});

describe('readEnvironment', () => {
  it('takes addresses of PostgreSQL and Redis, and nothing for an empty variable', () => {
    expect(readEnvironment({ DATABASE_URL: 'postgresql://me@db/shop', REDIS_URL: '' })).toMatchObject({
      databaseUrl: 'postgresql://me@db/shop',
      redisUrl: null,
      production: false,
    });
  });

  it.each([
    [{ DATABASE_URL: 'secret-host' }, 'DATABASE_URL is not an address like postgres://host'],
    [{ DATABASE_URL: 'mysql://secret@db' }, 'DATABASE_URL is not an address like postgres://host'],
    [{ REDIS_URL: 'localhost:6379' }, 'REDIS_URL is not an address like redis://host'],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL is "loud"; it is one of debug, info, warn, error, silent'],
  ])('refuses %j', (variables, message) => {
    expect(() => readEnvironment(variables)).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_INVALID', message }),
    );
  });
});
